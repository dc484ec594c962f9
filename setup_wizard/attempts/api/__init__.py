"""The JSON API: what the pages do, for programs.

In the order a request goes:

    urls        where each call is, and that nothing else is there
    door        who may come in, and how large and in which form a body may be; what is wrong becomes a problem
    reading     JSON and parameters, strictly
    calls       the calls: each parses, asks preflight and engine as the pages do, and shows what came of it
    starting    from the JSON of a start to an attempt
    searching   the list, narrowed and paged
    shapes      what comes in and goes out; the bootstrap object is that of `bootstrap.request`
    problems    every refusal in one shape
    reference   the description: openapi.json, and the page that people read
"""
