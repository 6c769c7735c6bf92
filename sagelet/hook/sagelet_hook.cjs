// What activation changes in Node, and nothing on disk. A program loads this module first (NODE_OPTIONS).
//
// The waiters of the AWS SDK look every 0.2 seconds, where they sleep up to 120 otherwise. And where HTTPS_PROXY names the
// server, agents of `https` ask it, as other programs do by themselves; hosts in NO_PROXY they reach directly.
'use strict'

const http = require('node:http')
const https = require('node:https')
const Module = require('node:module')
const tls = require('node:tls')

const BRIEF = 0.2

const patched = new WeakSet()
const load = Module._load

function loadAndPatch(...asked) {
  const found = load.apply(this, asked)
  if (found && typeof found === 'object' && !patched.has(found) && typeof found.createWaiter === 'function') {
    patched.add(found)
    const createWaiter = found.createWaiter
    const brief = (options, ...more) => createWaiter({ ...options, minDelay: BRIEF, maxDelay: BRIEF }, ...more)
    try {
      found.createWaiter = brief
    } catch {
      // another version of the SDK: it waits as it would
    }
  }
  return found
}

const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY)
const passed = (process.env.NO_PROXY || process.env.no_proxy || '').split(',').map((part) => part.trim()).filter(Boolean)
const direct = https.Agent.prototype.createConnection

function passes(host) {
  return passed.some((part) => {
    const name = part.replace(/^\*?\./, '')
    return part === '*' || host === name || host.endsWith(`.${name}`)
  })
}

function createConnection(options, done) {
  const host = options.host || 'localhost'
  if (passes(host)) return direct.call(this, options, done)
  const target = `${host}:${options.port || 443}`
  const asked = http.request({
    host: proxy.hostname, port: proxy.port || 80, method: 'CONNECT', path: target, headers: { Host: target }, agent: false,
  })
  asked.once('connect', (answer, socket) => {
    if (answer.statusCode === 200) return done(null, tls.connect({ ...options, socket, servername: options.servername || host }))
    socket.destroy()
    done(new Error(answer.statusMessage))
  })
  asked.once('error', done)
  asked.end()
}

if (process.env.AWS_ENDPOINT_URL || process.env.SAGELET_SERVER) Module._load = loadAndPatch
if (proxy && process.env.SAGELET_SERVER) https.Agent.prototype.createConnection = createConnection
