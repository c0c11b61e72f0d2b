/** The labels by which objects that are made for imported services are known, to whoever writes them and to whoever reads clusters. */

/**
 * On a Service that was derived from a ServiceImport, to give it a virtual IP in its cluster: the import's name. Whoever reads clusters takes it
 * for no service of its own.
 */
export const importOfLabel = 'fairway.dev/service-import';

/** Who manages an object: the first on EndpointSlices, the second on all others. */
export const sliceManagerLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const importManager = 'fairway-mcs';

/** On a ServiceImport: by id, under which names the clusters are registered that it was made of, as JSON. */
export const sourcesAnnotation = 'fairway.dev/sources';

/** KEP-1645's, on imported EndpointSlices: the import, and the id of the cluster that exports. */
export const serviceNameLabel = 'multicluster.kubernetes.io/service-name';
export const sourceClusterLabel = 'multicluster.kubernetes.io/source-cluster';
