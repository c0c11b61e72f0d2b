/**
 * Waits for both APIs, applies the CRDs (to east, the primary) and each cluster's objects, and writes two kubeconfigs with the contexts
 * east and west: the pilot's, which may only read what it needs and write the status of its rules, and kubectl's, which may do everything.
 */

import { chownSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { Api } from './kubernetes.mjs';

const adminToken = readFileSync('/credentials/admin.token', 'utf8');
const pilotUser = 65532;
const clusters = ['east', 'west'].map((name) => {
  const server = `https://${process.env[`${name.toUpperCase()}_PREFIX`]}.10:6443`;
  return { name, server, api: new Api(server, `/certs/${name}/apiserver.crt`, adminToken) };
});

/** In the order of the files, since a namespace must be there before what is in it. */
function readObjects(
  folder,
  names = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort(),
) {
  return names
    .flatMap((name) => parseAllDocuments(fill(readFileSync(join(folder, name), 'utf8'))))
    .map((document) => document.toJS({ maxAliasCount: 100 }))
    .filter((object) => object !== null);
}

/** ${EAST_PREFIX} and ${WEST_PREFIX}: the networks that Compose was told. */
function fill(text) {
  return text.replaceAll(/\$\{(EAST_PREFIX|WEST_PREFIX)\}/g, (_, name) => process.env[name]);
}

function kubeconfig(users) {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'east',
    clusters: clusters.map(({ name, server, api }) => ({
      name,
      cluster: { server, 'certificate-authority-data': Buffer.from(api.ca).toString('base64') },
    })),
    users: clusters.map(({ name }) => ({ name, user: { token: users.get(name) } })),
    contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
  });
}

/** What the pilot is and may do, from the manifests for real clusters: more in its primary than in a cluster that it only reads. */
const accounts = {
  east: {
    folder: '/deploy/pilot',
    files: ['namespace.yaml', 'service-account.yaml', 'roles.yaml'],
    serviceAccount: 'fairway',
  },
  west: { folder: '/deploy/remote', files: ['reader.yaml'], serviceAccount: 'fairway-reader' },
};

const pilotTokens = new Map();
for (const { name, api } of clusters) {
  await api.untilReady(120_000);
  const { folder, files, serviceAccount } = accounts[name];
  const crds = name === 'east' ? readObjects('/deploy/crds') : [];
  const objects = [...crds, ...readObjects(folder, files), ...readObjects('/objects', [`${name}.yaml`])];
  for (const object of objects) await api.apply(object);
  pilotTokens.set(name, await api.tokenOf('fairway-system', serviceAccount));
  console.log(`setup: cluster ${name} holds ${objects.length} objects`);
}
writeFileSync('/pilot/kubeconfig', kubeconfig(pilotTokens), { mode: 0o600 });
chownSync('/pilot/kubeconfig', pilotUser, pilotUser);
writeFileSync('/kubectl/kubeconfig', kubeconfig(new Map(clusters.map(({ name }) => [name, adminToken]))), {
  mode: 0o600,
});
for (const { api } of clusters) api.close();
