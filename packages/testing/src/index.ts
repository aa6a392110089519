export { ManualClock } from './clock';
export type { CommandType } from './commands';
export type { MockFrame } from './connection';
export { createMockServer } from './create';
export { MockServer } from './mock-server';
export type { Refusal } from './refusal';
export type { Access, Capability, ChannelRule, Operation } from './rules';
export type { Caller, PublishAttempt, PublishHook } from './script';
export { type Claims, claimsOf, type TokenCheck } from './tokens';
export type {
  Drop,
  Held,
  MockClientOptions,
  MockConnection,
  MockEnterOptions,
  MockFailure,
  MockMember,
  MockPublishOptions,
  MockServerOptions,
  RefuseOptions,
} from './types';
