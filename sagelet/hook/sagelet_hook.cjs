// Makes Node ask the proxy that HTTPS_PROXY names, as other programs do by themselves; hosts in NO_PROXY it reaches directly.
// Loaded before a program (NODE_OPTIONS). It changes how agents of `https` connect, and nothing on disk.
'use strict'

const http = require('node:http')
const https = require('node:https')
const tls = require('node:tls')

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
  const host = options.servername || options.host || 'localhost'
  if (passes(options.host || host)) return direct.call(this, options, done)
  const asked = http.request({
    host: proxy.hostname, port: proxy.port || 80, method: 'CONNECT', path: `${options.host}:${options.port || 443}`,
    headers: { Host: `${options.host}:${options.port || 443}` }, agent: false,
  })
  asked.once('connect', (answer, socket) => {
    if (answer.statusCode === 200) return done(null, tls.connect({ ...options, socket, servername: host }))
    socket.destroy()
    done(new Error(answer.statusMessage))
  })
  asked.once('error', done)
  asked.end()
}

if (proxy && process.env.SAGELET_SERVER) https.Agent.prototype.createConnection = createConnection
