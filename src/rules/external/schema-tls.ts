/** How proxies begin TLS with a host outside, as people write it. See schema.ts. */

import type { FromSchema, Schema } from '../objects/schema-types.ts';

export const tlsSchema = {
  type: 'object',
  description: 'Proxies begin TLS with the hosts; clients speak to the proxy without. {} is TLS as a browser does it.',
  properties: {
    mode: {
      type: 'string',
      description: 'simple (default): the host shows a certificate, the proxy none.',
      enum: ['simple'],
      'x-fairway': {
        code: 'FW-RULE-167',
        says: 'must be simple: proxies have no certificates of their own to show',
      },
    },
    sni: {
      type: 'string',
      description: 'The name that is asked for. Default: the host; below a wildcard the host of the request.',
      maxLength: 253,
      pattern: '^([a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-168', says: 'must be a DNS name in lower case', keepsPattern: true },
    },
    subjectAltNames: {
      type: 'array',
      description: 'DNS names of which the certificate must have one. Default: the name that is asked for.',
      items: {
        type: 'string',
        description: 'A DNS name.',
        maxLength: 253,
        pattern: '^([a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?$',
        'x-fairway': { code: 'FW-RULE-169', says: 'must be a DNS name in lower case', keepsPattern: true },
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
    },
    caCertificates: {
      type: 'string',
      description: 'Who may have signed it: certificates in PEM, or system (default), what the proxy’s machine trusts.',
      maxLength: 65536,
      pattern: '^(system|\\s*-----BEGIN CERTIFICATE-----[\\s\\S]*)$',
      'x-fairway': { code: 'FW-RULE-173', says: 'must be system, or certificates in PEM', keepsPattern: true },
    },
    minVersion: {
      type: 'string',
      description: 'The oldest version of TLS that is spoken. Default TLSv1.2.',
      enum: ['TLSv1.2', 'TLSv1.3'],
      'x-fairway': { code: 'FW-RULE-174', says: 'must be TLSv1.2 or TLSv1.3' },
    },
  },
} as const satisfies Schema;

export type RawTls = FromSchema<typeof tlsSchema>;
