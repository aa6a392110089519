import type { Contract } from '@anywire/client/contract';
import { MockServer } from './mock-server';
import type { ChannelDefs, MockServerOptions, RpcDefs } from './types';

/**
 * Starts a server in memory. With a contract its schemas are enforced, and what the test publishes
 * is typed by it.
 *
 *   const server = createMockServer();
 *   const client = createClient({ url: server.url, transports: [server.transport()] });
 *   server.publish('room:1', { text: 'hello' });
 */
export function createMockServer(options?: MockServerOptions): MockServer;
export function createMockServer<C extends ChannelDefs, R extends RpcDefs>(
  contract: Contract<C, R>,
  options?: MockServerOptions,
): MockServer<C, R>;
export function createMockServer(
  first: MockServerOptions | Contract = {},
  second: MockServerOptions = {},
): MockServer {
  return 'find' in first ? new MockServer(first, second) : new MockServer(undefined, first);
}
