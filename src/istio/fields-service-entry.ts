/** ServiceEntry's fields. https://istio.io/latest/docs/reference/config/networking/service-entry/ */

import { type Fields, list, none, read } from './fields.ts';

export const serviceEntryFields: Fields = {
  hosts: read,
  addresses: none('hosts are told apart by their names', 'Clients name the host; nothing needs to be done'),
  ports: list({ number: read, protocol: read, name: read, targetPort: read }),
  location: read,
  resolution: read,
  endpoints: list({
    address: read,
    ports: read,
    labels: none('endpoints outside have no versions'),
    network: none('endpoints outside are reached directly'),
    locality: read,
    weight: read,
    serviceAccount: none('endpoints outside have no identity'),
  }),
  workloadSelector: read,
  exportTo: read,
  subjectAltNames: none('the workload itself speaks TLS with the host, and looks at its certificate'),
};
