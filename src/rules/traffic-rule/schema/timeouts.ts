/** The part of the schema that says how long a request may take. How schemas are written here: see spec.ts. */

import { durationText } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

export const timeouts = {
  type: 'object',
  description: 'How long a request may take.',
  properties: {
    request: { ...durationText, description: 'The whole request with all its retries. 0s, or left out: no limit.' },
    backendRequest: { ...durationText, description: 'One try; at most as long as request. 0s, or left out: no limit.' },
    idle: {
      ...durationText,
      description:
        'The longest that nothing may move in either direction, on streams and WebSockets too. 0s, or left out: no limit.',
    },
    stream: {
      ...durationText,
      description:
        'The longest that a stream may live, WebSockets too, however much moves on it. 0s, or left out: no limit.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: "!(has(self.request) && has(self.backendRequest)) || duration(self.request) == duration('0s') || duration(self.backendRequest) <= duration(self.request)",
      message: 'backendRequest must not be longer than request',
    },
  ],
} as const satisfies Schema;
