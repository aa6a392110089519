import type { NetworkAdapter } from './types';

/**
 * What a phone knows of its network and of the application, for `createClient` and `createSocket`:
 *
 *   import NetInfo from '@react-native-community/netinfo';
 *   import { AppState } from 'react-native';
 *   createClient({ url, network: reactNativeNetwork({ AppState, NetInfo }) });
 *
 * Nothing of either is imported here; only what is used of them is named.
 */

/** The part of React Native's `AppState` that is used. */
export interface AppStateLike {
  /** Calls with `active`, `background` and the like; what it returns ends that. */
  addEventListener(
    type: 'change',
    listener: (state: string) => void,
  ): { readonly remove: () => void } | undefined;
}

/** What NetInfo tells; `null` is "not known yet". */
export interface NetInfoStateLike {
  readonly type?: string;
  readonly isConnected: boolean | null;
}

/** The part of `@react-native-community/netinfo` that is used. */
export interface NetInfoLike {
  /** Calls at once, or soon, with the present state, and then whenever it has changed. */
  addEventListener(listener: (state: NetInfoStateLike) => void): () => void;
}

/**
 * The connection is let go while the application is in the background, as the system would cut it
 * without a word, and is there again, with its session, when the application is back. Without
 * `NetInfo` the device counts as online, and a lost network is noticed by the heartbeat.
 */
export function reactNativeNetwork(device: {
  readonly AppState: AppStateLike;
  readonly NetInfo?: NetInfoLike;
}): NetworkAdapter {
  const { AppState, NetInfo } = device;
  let online = true;
  return {
    get online() {
      return online;
    },
    subscribe(listener) {
      let away = false;
      let told = online;
      let network: string | undefined;
      const app = AppState.addEventListener('change', (state) => {
        if (state === 'background') {
          if (!away) listener('suspend');
          away = true;
        } else if (state === 'active') {
          // `inactive` is a call that comes in, or the list of applications: nothing is cut.
          listener(away ? 'resume' : 'wake');
          away = false;
        }
      });
      const leave = NetInfo?.addEventListener(({ isConnected, type }) => {
        const moved = network !== undefined && type !== network;
        network = type;
        if (isConnected === null) return;
        online = isConnected;
        if (told !== online) listener(online ? 'online' : 'offline');
        // From the mobile network to Wi-Fi: the connection was of the network before.
        else if (online && moved) listener('wake');
        told = online;
      });
      return () => {
        app?.remove();
        leave?.();
      };
    },
  };
}
