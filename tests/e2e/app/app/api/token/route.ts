import { anywireToken } from '@anywire/next';
import { SignJWT } from 'jose';

// The token route of the scenarios. Each test has a key of its own, and says by PUT how the route
// answers for it; GET tells who asked so far.
interface Script {
  mode: 'ok' | 'signed-out' | 'error' | 'wrong';
  user: string;
  ttl: number;
  asked: { reason: unknown; at: number }[];
}

const routeTtlMin = 10;

// `next dev` may load this module anew, and what a test has said has to stay.
const kept = globalThis as { anywireScripts?: Map<string, Script> };
kept.anywireScripts ??= new Map();
const scripts = kept.anywireScripts;

const scriptOf = (request: Request): Script => {
  const key = new URL(request.url).searchParams.get('key') ?? '';
  let script = scripts.get(key);
  if (!script) {
    script = { mode: 'ok', user: 'ann', ttl: 300, asked: [] };
    scripts.set(key, script);
  }
  return script;
};

const route = anywireToken({
  secret: process.env.ANYWIRE_SECRET,
  authorize: (request) => {
    const { mode, user, ttl } = scriptOf(request);
    if (mode === 'error') throw new Error('no database');
    return mode === 'signed-out' ? null : { user, ttl };
  },
});

export function GET(request: Request): Response {
  return Response.json(scriptOf(request));
}

export async function PUT(request: Request): Promise<Response> {
  return Response.json(Object.assign(scriptOf(request), await request.json()));
}

export async function POST(request: Request): Promise<Response> {
  const script = scriptOf(request);
  const { reason } = (await request.clone().json()) as { reason?: unknown };
  script.asked.push({ reason, at: Date.now() });
  // `wrong`: signed with a key that the server does not know. And no token of a real route ends as
  // soon as those that a test can wait for.
  if (script.mode === 'wrong') return await mint(script, 'w'.repeat(32));
  if (script.mode === 'ok' && script.ttl < routeTtlMin) {
    return await mint(script, process.env.ANYWIRE_SECRET ?? '');
  }
  return await route.POST(request);
}

async function mint({ user, ttl }: Script, secret: string): Promise<Response> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(crypto.randomUUID())
    .setExpirationTime(new Date(Date.now() + ttl * 1000))
    .sign(new TextEncoder().encode(secret));
  return Response.json({ token });
}
