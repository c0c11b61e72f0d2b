/** Is a value one that Istio takes for its field? In: the value and its type. Out: a finding if not. What the value comes to is for the translation. */

import { show } from '../rules/objects/findings.ts';
import type { Notes } from './notes.ts';
import { booleanOf, entriesOf, isMapping, itemsOf, numberOf, type Part, textOf } from './parts.ts';
import { isDuration } from './values.ts';

/** A list of words: one of these. */
export type ValueType =
  | 'text'
  | 'texts'
  | 'textMap'
  | 'number'
  | 'whole'
  | 'count'
  | 'countMap'
  | 'bool'
  | 'duration'
  | readonly string[];

export function checkValue(part: Part, type: ValueType, notes: Notes): void {
  switch (type) {
    case 'text':
      textOf(part, notes);
      return;
    case 'texts':
      if (!Array.isArray(part.value)) notes.error('FW-ISTIO-003', part, `must be a list; it is ${show(part.value)}`);
      for (const item of itemsOf(part)) textOf(item, notes);
      return;
    case 'textMap':
    case 'countMap':
      if (!isMapping(part.value)) notes.error('FW-ISTIO-003', part, `must be a mapping; it is ${show(part.value)}`);
      for (const [, value] of entriesOf(part)) checkValue(value, type === 'textMap' ? 'text' : 'count', notes);
      return;
    case 'number':
      numberOf(part, notes);
      return;
    case 'whole':
    case 'count':
      checkWhole(part, type === 'count', notes);
      return;
    case 'bool':
      booleanOf(part, notes);
      return;
    case 'duration': {
      const value = textOf(part, notes);
      if (value !== undefined && !isDuration(value)) {
        notes.error('FW-ISTIO-003', part, `must be a duration such as 1.5s; it is ${show(value)}`);
      }
      return;
    }
    default:
      checkWord(part, type, notes);
  }
}

function checkWhole(part: Part, isCount: boolean, notes: Notes): void {
  const value = numberOf(part, notes);
  if (value === undefined || (Number.isInteger(value) && (value >= 0 || !isCount))) return;
  notes.error('FW-ISTIO-003', part, `must be a whole number${isCount ? ' from 0 on' : ''}; it is ${show(part.value)}`);
}

function checkWord(part: Part, words: readonly string[], notes: Notes): void {
  const word = textOf(part, notes);
  if (word === undefined || words.includes(word)) return;
  notes.error(
    'FW-ISTIO-003',
    part,
    `must be one of ${words.join(', ')}; it is ${show(word)}`,
    `Write one of ${words.join(', ')}`,
  );
}
