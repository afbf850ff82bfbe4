// A server that counts the requests it has read and treats each by a seeded draw: answers at once, answers late, answers 500 or 404, closes the socket
// before or in the middle of the answer, talks nonsense, or never answers. GET /count tells how many requests it has read.
import { createServer } from 'node:net';

let state = Number(process.argv[2] ?? 1) >>> 0;
/** mulberry32 */
function draw() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

let count = 0;
const reply = (status, body) => `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function treat(socket) {
  const mood = draw();
  if (mood < 0.5) socket.write(reply(200, 'fine'));
  else if (mood < 0.65) setTimeout(() => socket.writable && socket.write(reply(200, 'late')), draw() * 400);
  else if (mood < 0.7) socket.write(reply(500, 'broken'));
  else if (mood < 0.75) socket.write(reply(404, 'lost'));
  else if (mood < 0.8) socket.destroy();
  else if (mood < 0.84) socket.resetAndDestroy();
  else if (mood < 0.88) socket.end('HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf an ans');
  else if (mood < 0.91) socket.write('this is not HTTP\r\n\r\n');
  else if (mood < 0.94) socket.write(reply(200, 'twice') + reply(200, 'twice'));
  else if (mood < 0.97) socket.end('HTTP/1.1 200 X\r\nConnection: close\r\n\r\nwithout a length');
}

createServer((socket) => {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const isCount = text.startsWith('GET /count ');
      text = text.slice(end + 4);
      if (isCount) socket.end(reply(200, String(count)));
      else {
        count++;
        treat(socket);
      }
    }
  });
}).listen(0, '127.0.0.1', function () {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${this.address().port}/` })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
