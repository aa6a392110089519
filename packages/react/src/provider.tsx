'use client';

import { AnywireError, type Client, type ClientOptions } from '@anywire/client';
import { createContext, type ReactNode, useContext, useEffect, useInsertionEffect } from 'react';
import { ClientKeeper } from './client-keeper';
import { useHeld } from './held';

const ClientContext = createContext<Client | undefined>(undefined);

/** Either a client of your own, which is yours to close, or the options for one. */
export type AnywireProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: Client }
  | (ClientOptions & { readonly client?: undefined })
);

/**
 * Gives the hooks below it a client.
 *
 * With options it makes the client itself, which connects when a hook first needs it, is closed
 * 250 ms (`linger`) after the provider is gone, and is replaced when `url` or a `token` string
 * changes; other options are those of the first render, functions always the newest. A `token`
 * that begins with `/` or `http` is the address of a route to `POST` to, which answers
 * `{ "token": "..." }`, or 401 when nobody is signed in.
 */
export function AnywireProvider({ client, children, ...options }: AnywireProviderProps): ReactNode {
  const given = options as ClientOptions;
  const keeper = useHeld([client, identity(given.url), identity(given.token)], () =>
    client ? undefined : new ClientKeeper(given),
  );
  return (
    <ClientContext.Provider value={client ?? keeper?.client}>
      <Keep keeper={keeper} options={given} />
      {children}
    </ClientContext.Provider>
  );
}

/** A sibling before the children: its effects run before theirs, which may use the client. */
function Keep({ keeper, options }: { keeper: ClientKeeper | undefined; options: ClientOptions }) {
  useInsertionEffect(() => keeper?.update(options));
  useEffect(() => keeper?.attach(), [keeper]);
  return null;
}

const newest = {};
/** One function is as good as another, since the newest is called. */
function identity(value: unknown): unknown {
  return typeof value === 'function' ? newest : value instanceof URL ? value.href : value;
}

/**
 * The client of the nearest AnywireProvider. Throws an AnywireError `no_provider` where there is
 * none, which is a mistake in the program rather than a state of the connection.
 */
export function useAnywire(): Client {
  const client = useContext(ClientContext);
  if (!client) {
    throw new AnywireError('no_provider', 'There is no <AnywireProvider> above this component');
  }
  return client;
}
