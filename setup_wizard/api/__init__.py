"""The JSON API: what the pages do, for programs.

In the order of a request:

    urls        the URL of each call
    auth        the token, and the size and type of the body
    parsers     strict JSON and query parameters
    views       the calls
    sign_ins    user names and passwords in bodies
    starting    from the JSON of a start to an attempt
    plans       the calls of plans, with plan_schemas
    clusters    the calls of clusters, with cluster_schemas
    listing     the list of attempts, filtered and in pages
    schemas     request and response bodies: attempt_schemas, probe_schemas, check_schemas and what they share
    errors      every error in one format
    docs        openapi.json, and the page that describes the API to people
"""
