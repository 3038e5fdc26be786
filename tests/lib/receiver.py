"""A web server for what a site sends."""
import http.server, threading


class Receiver(http.server.ThreadingHTTPServer):
    """Serves by threads of its own from the moment it is made; port 0: any that is free."""
    daemon_threads = True

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a node that was killed breaks its connections off
