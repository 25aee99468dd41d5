// SPDX-License-Identifier: MIT
// node with the package ws: an echo server, ws_echo.js --port N.
const {WebSocketServer} = require('ws');

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const server = new WebSocketServer({host: '127.0.0.1', port, perMessageDeflate: false}, () =>
    console.log(`listening on 127.0.0.1:${server.address().port}`));
server.on('connection', peer =>
    peer.on('message', (data, isBinary) => peer.send(data, {binary: isBinary})));
