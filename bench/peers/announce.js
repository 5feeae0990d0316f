// Says on standard output where a server answers: {"base_url":"http://127.0.0.1:PORT/PATH"}.

export function announce(server, path) {
    server.keepAliveTimeout = 60_000; // longer than any pause between two rows of the load
    console.log(JSON.stringify({ base_url: `http://127.0.0.1:${server.address().port}${path}` }));
}
