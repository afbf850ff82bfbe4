// A process that measures nothing and records as fast as it can, until it is killed or the disk is full.
// Arguments: the compiled store module, the result folder, the manifest input and a record as JSON, the characters of a histogram (0: none).
const [storeModule, outDir, input, record, histogramLength] = process.argv.slice(2);
const { openStore } = await import(storeModule);

try {
  const store = await openStore(outDir, JSON.parse(input));
  try {
    await appendForEver(store);
  } finally {
    await store[Symbol.asyncDispose]();
  }
} catch (error) {
  process.stderr.write(error.message);
  process.exitCode = 2;
}

async function appendForEver(store) {
  const template = JSON.parse(record);
  for (let number = store.finishedTrialIds().size + 1; ; number++) {
    const trialId = `t${number}`;
    if (histogramLength !== '0') await store.writeHistogram(trialId, 'latency', 'x'.repeat(Number(histogramLength)));
    await store.append({ ...template, trialId, replicate: number });
    process.stdout.write(`${trialId}\n`);
  }
}
