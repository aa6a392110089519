'use client';

import { usePathname } from 'next/navigation';
import { roomFromPath } from '../lib/rooms';
import { useMe } from '../lib/useMe';
import { Mark } from './Icon';
import { Profile } from './Profile';
import { Rooms } from './Rooms';

export function Sidebar() {
  const me = useMe();
  return (
    <aside>
      <p className="brand">
        <Mark />
        Anywire
      </p>
      <Rooms current={roomFromPath(usePathname())} me={me} />
      <Profile me={me} />
    </aside>
  );
}
