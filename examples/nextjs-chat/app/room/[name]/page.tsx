import type { Metadata } from 'next';
import { notFound, redirect } from 'next/navigation';
import { ChatRoom } from '../../../components/ChatRoom';
import { kLobby, roomFromSegment, roomPath } from '../../../lib/rooms';
import { serverUrl } from '../../../lib/server';

interface Props {
  readonly params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const room = roomFromSegment((await params).name);
  return { title: room ? `#${room}` : 'No such room' };
}

export default async function RoomPage({ params }: Props) {
  const room = roomFromSegment((await params).name);
  if (room === undefined) notFound();
  if (room === kLobby) redirect(roomPath(kLobby));
  return <ChatRoom key={room} server={await serverUrl()} room={room} />;
}
