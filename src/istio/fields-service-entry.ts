/** ServiceEntry's fields. https://istio.io/latest/docs/reference/config/networking/service-entry/ */

import { count, countMap, type Fields, list, none, object, oneOf, text, textMap, texts } from './fields.ts';

export const serviceEntryFields: Fields = {
  hosts: texts,
  addresses: none('hosts are told apart by their names', 'Clients name the host; nothing needs to be done'),
  ports: list({ number: count, protocol: text, name: text, targetPort: count }, ['number', 'name']),
  location: oneOf('MESH_EXTERNAL', 'MESH_INTERNAL'),
  resolution: oneOf('NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'),
  endpoints: list({
    address: text,
    ports: countMap,
    labels: none('endpoints outside have no versions'),
    network: none('endpoints outside are reached directly'),
    locality: text,
    weight: count,
    serviceAccount: none('endpoints outside have no identity'),
  }),
  workloadSelector: object({ labels: textMap }),
  exportTo: texts,
  subjectAltNames: none('the workload itself speaks TLS with the host, and looks at its certificate'),
};
