# SPDX-FileCopyrightText: 2026 The Switchback Authors
# SPDX-License-Identifier: Apache-2.0

"""Starts a moto server on a free loopback port, prints its URL as the first line, and ends with its parent.

The parent holds the other end of our standard input: when it is closed, by a wish or because the parent was killed, the
server is gone too. MOTO_LAMBDA_URL is where Lambda functions are really invoked (the local server of the Lambda Runtime
API); without it moto answers for them.
"""

import os
import sys
import threading
import urllib.error
import urllib.request

from werkzeug.serving import WSGIRequestHandler, make_server

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app


def end_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def keep_executions_whole():
    """moto deep-copies state machines, and with them its backend, locks and threads of the executions so far: every
    StartExecution after the first would answer 500."""
    import moto.stepfunctions.models as models
    import moto.stepfunctions.parser.backend.execution as parsed

    for cls in (models.StepFunctionBackend, models.Execution, parsed.Execution):
        cls.__deepcopy__ = lambda self, memo: self


def invoke_at(url):
    """Functions are invoked by a POST to the local server of the Lambda Runtime API."""
    from moto.awslambda_simple.models import LambdaSimpleBackend

    def invoke(self, function_name, qualifier, body, headers, response_headers):
        name = function_name.split(":")[-1]
        request = urllib.request.Request(
            f"{url}/2015-03-31/functions/{name}/invocations",
            data=body.encode() if isinstance(body, str) else body or b"{}",
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                if answer.headers.get("X-Amz-Function-Error"):
                    response_headers["x-amz-function-error"] = answer.headers["X-Amz-Function-Error"]
                return answer.read()
        except urllib.error.URLError as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return ('{"errorType":"Runtime.Unreachable","errorMessage":"%s"}' % type(error).__name__).encode()

    LambdaSimpleBackend.invoke = invoke


class Quiet(WSGIRequestHandler):
    """Keeps a connection open: most of a call's time would be the connect."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *args):
        pass


def main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    keep_executions_whole()
    if os.environ.get("MOTO_LAMBDA_URL"):
        invoke_at(os.environ["MOTO_LAMBDA_URL"])
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    os.environ["MOTO_PORT"] = str(server.port)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


main()
