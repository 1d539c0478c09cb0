import { request } from 'node:http';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import { Health } from '../../../src/monitor/health.ts';
import { type HttpServer, startHttp } from '../../../src/monitor/http.ts';
import { Metrics } from '../../../src/monitor/metrics.ts';

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function start(http: { host?: string; port?: number; token?: string } = {}) {
  const health = new Health();
  const metrics = new Metrics({ processDefaults: false });
  const server = await startHttp({
    http: {
      host: http.host ?? '127.0.0.1',
      port: http.port ?? 0,
      token: http.token ?? null,
      allowActions: false,
    },
    metrics,
    health,
  });
  open.push(server);
  return { server, health, metrics };
}

/** `fetch` refuses to set Host. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/readyz', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

test('/readyz is 503 with the reasons while any is set, and 200 after', async () => {
  const { server, health } = await start();
  health.set('slot-in-use', 'slot "weir" is active for PID 12');
  const red = await fetch(`${server.url}/readyz`);
  expect(red.status).toBe(503);
  expect(await red.json()).toMatchObject({
    ready: false,
    reasons: [{ reason: 'slot-in-use', detail: 'slot "weir" is active for PID 12' }],
  });
  health.clear('slot-in-use');
  const green = await fetch(`${server.url}/readyz`);
  expect([green.status, await green.json()]).toEqual([200, { ready: true, reasons: [] }]);
});

test('/livez, / and /metrics answer; /metrics says whether Weir is ready', async () => {
  const { server, health } = await start();
  health.set('x', 'waits');
  expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ status: 'alive' });
  expect(await (await fetch(`${server.url}/`)).text()).toContain('/queues');
  const metrics = await fetch(`${server.url}/metrics`);
  expect(metrics.headers.get('content-type')).toContain('text/plain');
  expect(await metrics.text()).toContain('weir_ready 0');
});

test('a port in use is an error with the fix', async () => {
  const { server } = await start();
  await expect(start({ port: server.port })).rejects.toMatchObject({
    code: 'WEIR_HTTP_PORT_IN_USE',
    exit: 2,
    message: expect.stringContaining(`127.0.0.1:${server.port}`),
    hint: expect.stringContaining('WEIR_HTTP'),
  });
});

test('a loopback server answers only to loopback names', async () => {
  const { server } = await start();
  expect(await statusFor(server.port, `localhost:${server.port}`)).toBe(200);
  expect(await statusFor(server.port, `[::1]:${server.port}`)).toBe(200);
  expect(await statusFor(server.port, `evil.example:${server.port}`)).toBe(421);
  expect(await statusFor(server.port, `127.0.0.1.evil.example`)).toBe(421);
});

test('with a token set, everything but the probes needs it', async () => {
  const { server, health } = await start({ token: 's3cret' });
  health.set('x', 'why');
  expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
  expect((await fetch(`${server.url}/queues/api`)).status).toBe(401);
  const wrong = { headers: { authorization: 'Bearer s3cre' } };
  expect((await fetch(`${server.url}/metrics`, wrong)).status).toBe(401);
  const right = { headers: { authorization: 'Bearer s3cret' } };
  expect((await fetch(`${server.url}/metrics`, right)).status).toBe(200);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ ready: false });
  expect(await (await fetch(`${server.url}/readyz`, right)).json()).toMatchObject({
    reasons: [{ detail: 'why' }],
  });
});

test('?token= once becomes a cookie that scripts cannot read, and leaves the address', async () => {
  const { server } = await start({ token: 's3cret' });
  const first = await fetch(`${server.url}/?token=s3cret&x=1`, { redirect: 'manual' });
  expect([first.status, first.headers.get('location')]).toEqual([303, '/?x=1']);
  const cookie = first.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/SameSite=Strict/i);
  expect(cookie).not.toContain('s3cret');
  const session = cookie.split(';')[0] ?? '';
  expect((await fetch(`${server.url}/metrics`, { headers: { cookie: session } })).status).toBe(200);
  expect((await fetch(`${server.url}/?token=other`, { redirect: 'manual' })).status).toBe(401);
});

test('no other site may read or change anything', async () => {
  const { server } = await start();
  server.mountBoard(new Hono().all('/queues/*', (c) => c.text('changed')));
  const post = (origin: string) =>
    fetch(`${server.url}/queues/api/pause`, { method: 'POST', headers: { origin } });
  expect((await post('https://evil.example')).status).toBe(403);
  expect((await post('null')).status).toBe(403);
  expect((await post(server.url)).status).toBe(200);
  const read = await fetch(`${server.url}/readyz`, { headers: { origin: 'https://evil.example' } });
  expect(read.headers.get('access-control-allow-origin')).toBeNull();
});

test('the board may come later than the server', async () => {
  const { server } = await start();
  expect((await fetch(`${server.url}/queues`)).status).toBe(503);
  server.mountBoard(new Hono().get('/queues', (c) => c.text('board')));
  expect(await (await fetch(`${server.url}/queues`)).text()).toBe('board');
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
});
