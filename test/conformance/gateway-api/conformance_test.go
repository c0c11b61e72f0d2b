// Runs Gateway API's own conformance tests for meshes against the cluster that KUBECONFIG names, in which Fairway and the suite's pods run.
//
// In: the suite's own flags (-run-test, -namespace-labels, -report-output, ...). Out: go test's lines, and the ConformanceReport.
// test/conformance/gateway-api/suite.ts makes the cluster and starts this.
package conformance_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
	confv1 "sigs.k8s.io/gateway-api/conformance/apis/v1"
	meshtests "sigs.k8s.io/gateway-api/conformance/tests/mesh"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
	"sigs.k8s.io/yaml"
)

// The extended features that Fairway has. What is core to the profiles need not be named.
var extendedFeatures = []features.FeatureName{
	features.SupportMeshConsumerRoute,
	features.SupportMeshHTTPRouteBackendRequestHeaderModification,
	features.SupportMeshHTTPRouteNamedRouteRule,
	features.SupportMeshHTTPRouteQueryParamMatching,
	features.SupportMeshHTTPRouteRedirectPath,
	features.SupportMeshHTTPRouteRedirectPort,
	features.SupportMeshHTTPRouteRewritePath,
	features.SupportMeshHTTPRouteSchemeRedirect,
	// The profiles do not count these; tests ask for them beside the mesh's own.
	features.SupportHTTPRouteParentRefPort,
	features.SupportHTTPRouteResponseHeaderModification,
	features.SupportHTTPRoute303RedirectStatusCode,
	features.SupportHTTPRoute307RedirectStatusCode,
	features.SupportHTTPRoute308RedirectStatusCode,
}

func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	options.SupportedFeatures = extendedFeatures
	options.ConformanceProfiles = []suite.ConformanceProfileName{suite.MeshHTTPConformanceProfileName, suite.MeshGRPCConformanceProfileName}
	options.Implementation.Organization, options.Implementation.Project = "fairway", "fairway"
	// The suite's client would hold requests back, and that counts as the mesh's delay.
	options.RestConfig.QPS, options.RestConfig.Burst = 200, 400

	conformanceSuite, err := suite.NewConformanceTestSuite(options)
	must(t, err)
	if options.ReportOutputPath != "" {
		t.Cleanup(func() { writeReport(t, conformanceSuite, options.ReportOutputPath) })
	}
	conformanceSuite.Setup(t, meshtests.MeshConformanceTests)
	must(t, conformanceSuite.Run(t, meshtests.MeshConformanceTests))
}

func writeReport(t *testing.T, conformanceSuite *suite.ConformanceTestSuite, file string) {
	made, err := conformanceSuite.Report()
	must(t, err)
	// Their order is that of a Go map.
	slices.SortFunc(made.ProfileReports, func(a, b confv1.ProfileReport) int { return strings.Compare(a.Name, b.Name) })
	text, err := yaml.Marshal(made)
	must(t, err)
	must(t, os.WriteFile(file, text, 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
