import { ClientChat } from '../../../../../examples/seed-chat/components/ClientChat';

/** The seed's chat with the seed's text, for the mode in which the seed's own app is not built. */
export default function SeedChatPage() {
  return <ClientChat />;
}
