import { anywireToken } from '@anywire/next';
import { authorize } from '@/lib/authorize';

export const runtime = 'edge';
export const { POST } = anywireToken({ authorize });
