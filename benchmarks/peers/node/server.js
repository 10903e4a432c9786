// fastify with undici: the same job in Node.
'use strict'

const { readFileSync } = require('node:fs')
const { createHash } = require('node:crypto')
const fastify = require('fastify')
const { Agent, request } = require('undici')

const clouds = process.env.CLOUDS
const flows = JSON.parse(process.env.FLOWS)
const ca = process.env.CA_FILE ? readFileSync(process.env.CA_FILE) : undefined
const dispatcher = new Agent({ connections: null, pipelining: 1, connect: ca ? { ca } : {} })

const rows = (answer, path) => path.reduce((found, member) => found[member], answer)

async function swept (vendor, headers) {
  const flow = flows[vendor]
  const call = async path => {
    const { body } = await request(`${clouds}/${vendor}${path}`, { method: flow.method, headers, dispatcher })
    return body.json()
  }
  const sites = flow.list_path ? rows(await call(flow.list_path), flow.sites).map(row => String(row[flow.site])) : ['']
  const found = await Promise.all(sites.map(site => call(flow.device_path.replace('{}', site))))
  return found.flatMap(answer => rows(answer, flow.devices).map(row => String(row[flow.inverter])))
}

function url (vendor, inverter) {
  const digest = createHash('sha256').update(`${vendor}:${inverter}`).digest('hex').slice(0, 16)
  return `http://127.0.0.1/solar-inverters/solr-${digest}`
}

const app = fastify()
app.get('/solar-inverters', async incoming => {
  const headers = { authorization: incoming.headers.authorization || '' }
  const asked = Object.keys(flows).filter(vendor => incoming.headers[`x-authorization-${vendor}`])
  const found = await Promise.allSettled(asked.map(vendor => swept(vendor, headers)))
  const urls = []
  const errors = {}
  found.forEach((result, index) => {
    const vendor = asked[index]
    if (result.status === 'rejected') errors[vendor] = result.reason.name
    else for (const inverter of result.value) urls.push(url(vendor, inverter))
  })
  return { 'solar-inverters': urls.sort(), errors }
})
app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
