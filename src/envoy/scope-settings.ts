/**
 * The mesh's settings as they hold for one scope: its namespace may let more or less out than the mesh. What always holds: the same settings
 * and egress give the very same object, for what is made from settings is kept by them.
 */

import type { MeshSettings, Scope } from '../model/mesh.ts';

const others = new WeakMap<MeshSettings, MeshSettings>();

export function settingsOf(settings: MeshSettings, { egress }: Pick<Scope, 'egress'>): MeshSettings {
  if (egress === undefined || egress === settings.outbound) return settings;
  let other = others.get(settings);
  if (other === undefined) {
    other = { ...settings, outbound: egress };
    others.set(settings, other);
  }
  return other;
}
