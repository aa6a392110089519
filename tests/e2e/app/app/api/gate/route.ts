import { gateOf } from '../../../components/gate';

/** Lets pages of /streamed go on that wait for this key. */
export function PUT(request: Request): Response {
  gateOf(new URL(request.url).searchParams.get('key') ?? '').open();
  return new Response(null, { status: 204 });
}
