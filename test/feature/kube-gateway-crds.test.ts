/**
 * Files and an API server take and refuse the same: objects of the Gateway API, judged by its own CRDs (of the experimental channel, which has all
 * fields) in a real kube-apiserver, and by the parsers here. Skipped, and said so, where the CRDs are not at hand.
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { errorMessage } from '../../src/core/errors.ts';
import { gatewayApiKinds } from '../../src/gateway-api/kinds.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { standardCrds } from '../rig/standards.ts';
import { refusedObjects, takenObjects } from '../support/gateway-cases.ts';
import { parseGatewayObjects } from '../support/gateway-objects.ts';
import { skip } from '../support/skips.ts';
import { ensureNamespace, temporaryFolder } from './kube-support.ts';

describe('objects of the Gateway API, judged by its CRDs and here', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let api: KubeApi | undefined;

  before(async function () {
    let crds: string;
    try {
      crds = standardCrds('gateway-api-experimental');
    } catch (error) {
      return skip(this, `the CRDs of the Gateway API are not at hand: ${errorMessage(error)}`);
    }
    const plurals = gatewayApiKinds.map(({ plural }) => `_${plural}.yaml`);
    const files = readdirSync(crds).filter((file) => plurals.some((end) => file.endsWith(end)));
    assert.equal(files.length, gatewayApiKinds.length);
    api = await startKubeApi({ name: 'primary', dir: folder.path, controllers: false });
    await ensureNamespace(api, 'shop');
    await installCrds(
      api,
      files.flatMap((file) => ['-f', join(crds, file)]),
    );
  });

  after(async () => {
    await api?.stop();
    folder.remove();
  });

  /** undefined: taken. */
  async function refusal(text: string): Promise<string | undefined> {
    const object = parse(text) as { readonly kind: string };
    const row = gatewayApiKinds.find(({ kind }) => kind === object.kind);
    const input = JSON.stringify({ apiVersion: row?.apiVersion, ...object });
    const result = await api?.tryKubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], input);
    return result?.code === 0 ? undefined : (result?.stderr ?? 'no API');
  }

  it('both refuse what is wrong', async () => {
    for (const [what, text] of refusedObjects) {
      assert.notEqual(await refusal(text), undefined, what);
      assert.equal(parseGatewayObjects(text)[0]?.value, undefined, what);
    }
  });

  it('both take what is right', async () => {
    for (const text of takenObjects) {
      assert.equal(await refusal(text), undefined, text);
      assert.notEqual(parseGatewayObjects(text)[0]?.value, undefined, text);
    }
  });
});
