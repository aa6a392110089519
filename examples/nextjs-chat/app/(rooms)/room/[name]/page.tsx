import type { Metadata } from 'next';
import { notFound, redirect } from 'next/navigation';
import { RoomPage } from '../../../../components/RoomPage';
import { kLobby, roomFromSegment, roomPath } from '../../../../lib/rooms';

interface Props {
  readonly params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const room = roomFromSegment((await params).name);
  return { title: room ? `#${room}` : 'No such room' };
}

export default async function NamedRoomPage({ params }: Props) {
  const room = roomFromSegment((await params).name);
  if (room === undefined) notFound();
  if (room === kLobby) redirect(roomPath(kLobby));
  return <RoomPage room={room} />;
}
