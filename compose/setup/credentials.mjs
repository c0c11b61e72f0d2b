/** Makes, once, what the two APIs start with: a key that signs service account tokens, and an administrator's token. */

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';

const secret = { mode: 0o600 };

if (existsSync('/credentials/tokens.csv')) {
  console.log('credentials: they are there already');
} else {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const token = randomBytes(24).toString('hex');
  writeFileSync('/credentials/service-account.key', privateKey.export({ type: 'pkcs1', format: 'pem' }), secret);
  writeFileSync('/credentials/admin.token', token, secret);
  writeFileSync('/credentials/tokens.csv', `${token},admin,admin,system:masters\n`, secret);
  console.log('credentials: a signing key and an administrator’s token are made');
}
