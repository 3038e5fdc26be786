#!/usr/bin/env node
// A shell for DuckDB: SQL on the standard input, a row a line on the output, fields between bars.
// A statement ends with the line that ends with a semicolon; ".print TEXT" prints the text. It ends
// with the first error. Usage: duckdb-shell FILE THREADS
'use strict';
const readline = require('readline');
const { DuckDBInstance } = require('@duckdb/node-api');

async function main() {
  const instance = await DuckDBInstance.create(process.argv[2], { threads: process.argv[3] });
  const connection = await instance.connect();
  let statement = '';
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line.startsWith('.print ')) {
      process.stdout.write(line.slice('.print '.length) + '\n');
      continue;
    }
    statement += line + '\n';
    if (line.endsWith(';')) {
      const reader = await connection.runAndReadAll(statement);
      statement = '';
      for (const row of reader.getRows()) {
        process.stdout.write(row.join('|') + '\n');
      }
    }
  }
}

main().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
