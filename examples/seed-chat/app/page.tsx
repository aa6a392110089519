import { ClientChat } from '../components/ClientChat';

export default function Page() {
  return (
    <main>
      <h1>Chat</h1>
      <p>Open this page in two tabs: what one sends, both receive.</p>
      <ClientChat />
    </main>
  );
}
