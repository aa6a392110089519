import { ChatRoom } from '../components/ChatRoom';
import { kLobby } from '../lib/rooms';
import { serverUrl } from '../lib/server';

export default async function LobbyPage() {
  return <ChatRoom key={kLobby} server={await serverUrl()} room={kLobby} />;
}
