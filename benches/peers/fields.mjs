// Cuts records into fields with @evologi/fixed-width, and counts those that are not blank. The package
// knows one kind of record a parser, so the lines of a chunk are given to their parsers kind by kind.
import { createReadStream, readFileSync } from 'node:fs'
import { Parser } from '@evologi/fixed-width'

const [layouts, data] = process.argv.slice(2)
const fields = new Map()
for (const line of readFileSync(layouts, 'utf8').trimEnd().split('\n')) {
  const [record, property, first, last] = line.split('\t')
  if (!fields.has(record)) fields.set(record, [])
  fields.get(record).push({ property, column: Number(first), width: Number(last) - Number(first) + 1 })
}
const kinds = new Map()
for (const [record, list] of fields) {
  const parser = new Parser({ eol: '\n', fields: list, encoding: 'latin1' })
  kinds.set(record, { parser, names: list.map(field => field.property), lines: [] })
}

let cut = 0
let count = 0
let filled = 0
let rest = ''
for await (const chunk of createReadStream(data, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const line of lines) kinds.get(line.slice(0, 2))?.lines.push(line)
  for (const kind of kinds.values()) {
    if (kind.lines.length === 0) continue
    for (const record of kind.parser.write(kind.lines.join('\n') + '\n')) {
      cut++
      count += kind.names.length
      for (const name of kind.names) if (record[name] !== '') filled++
    }
    kind.lines = []
  }
}
console.log(cut, count, filled)
