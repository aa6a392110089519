// Self-signed certificates made when a test needs them; nothing secret is kept in the tree.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const made = [];
process.on('exit', () => made.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

/** A temporary folder that goes away with the process. */
export function temporaryFolder() {
  const dir = mkdtempSync(path.join(tmpdir(), 'anywire-tests-'));
  made.push(dir);
  return dir;
}

/** Makes (or, in the same folder, replaces) a certificate and its key; returns their paths. */
export function makeCertificate({ name = 'localhost', dir = temporaryFolder() } = {}) {
  const certificate = path.join(dir, 'certificate.pem');
  const key = path.join(dir, 'key.pem');
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', key, '-out', certificate,
  ], { stdio: 'pipe' });
  return { certificate, key, dir };
}
