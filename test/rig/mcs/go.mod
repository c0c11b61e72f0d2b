module fairway.dev/test/rig/mcs

go 1.26.0

// For its CRDs alone: nothing of it is built.
require sigs.k8s.io/mcs-api v0.5.2
