/** CORS as a TrafficRule writes it. */

import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { booleanOf, child, itemsOf, type Part, textOf, textsOf } from './parts.ts';
import { durationTextOf, textMatchOf } from './values.ts';

type RawCors = NonNullable<RawRoute['cors']>;

export function corsOf(part: Part | undefined, notes: Notes): RawCors | undefined {
  if (part === undefined) return undefined;
  const allowCredentials = booleanOf(child(part, 'allowCredentials'), notes);
  const matches = child(part, 'allowOrigins');
  const origins = [
    ...new Set(
      matches === undefined
        ? oldOrigins(child(part, 'allowOrigin'), notes)
        : itemsOf(matches).flatMap((one) => originOf(one, notes)),
    ),
  ];
  if (origins.length === 0) {
    notes.warn(
      'FW-ISTIO-004',
      part,
      'is left out: it allows no origin that can be said here',
      'Write origins out: https://shop.example.com',
    );
    return undefined;
  }
  const lists = {
    allowMethods: textsOf(child(part, 'allowMethods'), notes).map((method) => method.toUpperCase()),
    allowHeaders: textsOf(child(part, 'allowHeaders'), notes),
    exposeHeaders: textsOf(child(part, 'exposeHeaders'), notes),
  };
  const preflights = child(part, 'unmatchedPreflights');
  if (textOf(preflights, notes) !== 'IGNORE') {
    const message = 'preflights from other origins are answered without a permission, and not sent on';
    notes.warn(
      'FW-ISTIO-004',
      preflights ?? part,
      message,
      'Write unmatchedPreflights: IGNORE if this is what you want',
    );
  }
  const wild = ['allowOrigins', ...Object.keys(lists)].find((name) =>
    (name === 'allowOrigins' ? origins : lists[name as keyof typeof lists]).includes('*'),
  );
  if (allowCredentials === true && wild !== undefined) {
    notes.warn(
      'FW-ISTIO-004',
      part,
      `allowCredentials is left out: with "*" in ${wild} any site could act for its visitors`,
      'List what is allowed',
    );
  }
  const maxAge = durationTextOf(child(part, 'maxAge'), notes);
  return {
    allowOrigins: origins,
    ...(lists.allowMethods.length === 0 ? {} : { allowMethods: [...new Set(lists.allowMethods)] }),
    ...(lists.allowHeaders.length === 0 ? {} : { allowHeaders: [...new Set(lists.allowHeaders)] }),
    ...(lists.exposeHeaders.length === 0 ? {} : { exposeHeaders: [...new Set(lists.exposeHeaders)] }),
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(allowCredentials === true && wild === undefined ? { allowCredentials } : {}),
  };
}

function oldOrigins(list: Part | undefined, notes: Notes): readonly string[] {
  return itemsOf(list).flatMap((item) => writable(textOf(item, notes), item, notes));
}

function originOf(part: Part, notes: Notes): readonly string[] {
  const match = textMatchOf(part, notes);
  if (match === undefined) return [];
  if (match.kind === 'present') return ['*'];
  if (match.kind === 'exact') return writable(match.value, part, notes);
  const message = `is left out: an origin is written out here, and not matched by ${match.kind}`;
  notes.warn(
    'FW-ISTIO-004',
    part,
    message,
    'Write https://shop.example.com, or https://*.example.com for all hosts below',
  );
  return [];
}

function writable(origin: string | undefined, part: Part, notes: Notes): readonly string[] {
  if (origin === undefined) return [];
  if (origin === '*' || /^[a-z][a-z0-9+\-.]*:\/\/(\*\.)?[a-z0-9]([a-z0-9\-.]*[a-z0-9])?(:[0-9]{1,5})?$/.test(origin)) {
    return [origin];
  }
  const message = `is left out: no browser names the origin ${JSON.stringify(origin)}`;
  notes.warn('FW-ISTIO-004', part, message, 'Write scheme and host, as in https://shop.example.com');
  return [];
}
