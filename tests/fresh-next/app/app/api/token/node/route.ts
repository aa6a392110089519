import { anywireToken } from '@anywire/next';
import { authorize } from '@/lib/authorize';

export const runtime = 'nodejs';
export const { POST } = anywireToken({ authorize });
