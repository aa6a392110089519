import { RoomPage } from '../../components/RoomPage';
import { kLobby } from '../../lib/rooms';

export default function LobbyPage() {
  return <RoomPage room={kLobby} />;
}
