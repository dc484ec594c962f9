"""The JSON API: what the pages do, for programs.

In the order a request goes:

    urls        where each call is
    auth        the token, and how large and in which form a body may be
    parsers     JSON and parameters, strictly
    views       the calls: each parses, asks preflight and engine as the pages do, and shows what came of it
    starting    from the JSON of a start to an attempt
    listing     the list of attempts, filtered and in pages
    schemas     what comes in and goes out; the bootstrap object is that of `bootstrap.request`
    errors      every refusal in one shape
    docs        the description: openapi.json, and the page that people read
"""
