"""The calls of clusters. They show what is known; no call asks a node or a name server."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router

from setup_wizard.access.permissions import signed_in_user
from setup_wizard.api import cluster_schemas
from setup_wizard.api.errors import responses
from setup_wizard.clusters import inventory
from setup_wizard.clusters.cluster_page import ClusterPage

router = Router()


@router.get("", response=responses(200, cluster_schemas.ClustersOut), summary="List clusters")
def list_clusters(request: HttpRequest) -> cluster_schemas.ClustersOut:
    """List the clusters that were set up or extended here, the latest first, each with its nodes as last seen."""
    inventory.add_newest_attempts()
    user = signed_in_user(request)
    pages = [ClusterPage(cluster, user) for cluster in inventory.visible_clusters(user)]
    return cluster_schemas.ClustersOut(results=[cluster_schemas.ClusterOut.of(page) for page in pages])


@router.get("/{uuid:cluster_id}", response=responses(200, cluster_schemas.ClusterOut, 404), summary="Show a cluster")
def show_cluster(request: HttpRequest, cluster_id: UUID) -> cluster_schemas.ClusterOut:
    """Show a cluster with its nodes as last seen. *Check now* on its page asks the cluster again."""
    return cluster_schemas.ClusterOut.of(_found(request, cluster_id))


@router.get(
    "/{uuid:cluster_id}/dns",
    response=responses(200, cluster_schemas.DnsOut, 404),
    summary="Show the DNS records of a cluster",
)
def show_dns(request: HttpRequest, cluster_id: UUID) -> cluster_schemas.DnsOut:
    """List the records that the zone above its name needs, and what the last check on its page found."""
    return cluster_schemas.DnsOut.of(_found(request, cluster_id))


def _found(request: HttpRequest, cluster_id: UUID) -> ClusterPage:
    inventory.add_newest_attempts()
    user = signed_in_user(request)
    return ClusterPage(get_object_or_404(inventory.visible_clusters(user), pk=cluster_id), user)
