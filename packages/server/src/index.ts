export {
  Api,
  type ApiOptions,
  type Channel,
  createApi,
  type Publication,
} from './api';
export { ApiError, type ApiErrorDetails } from './error';
export type { Capability, Claims, Operation } from './token/claims';
export {
  type Algorithm,
  checkSigning,
  type Minted,
  mintToken,
  type SigningOptions,
} from './token/mint';
export type {
  CallOptions,
  ChannelCounts,
  ChannelsPage,
  Connection,
  HistoryOptions,
  HistoryPage,
  PresencePage,
  PresentMember,
  Published,
  PublishOptions,
  PublishResult,
  Revocation,
  StoredMessage,
  Ticket,
  TicketOptions,
  Whom,
} from './types';
