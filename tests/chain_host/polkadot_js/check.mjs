// What @polkadot/api does against a chain host: `node check.mjs WS_URL SEED_OF_A_FUNDED_ACCOUNT`.
// Prints one JSON object: which calls were made, what they answered in short, and what failed.
// Needs node_modules with @polkadot/api beside it or in NODE_PATH.
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const { ApiPromise, WsProvider, Keyring } = require('@polkadot/api');

const [url, seed] = process.argv.slice(2);
const done = {}, failed = {};
const step = async (name, work, expectError) => {
  try {
    const value = await work();
    if (expectError) { failed[name] = 'no error'; return; }
    done[name] = String(JSON.stringify(value) ?? value).slice(0, 90);
    return value;
  } catch (error) {
    if (expectError && String(error.message).includes(expectError)) { done[name] = String(error.message).slice(0, 90); return; }
    failed[name] = String(error.message ?? error).slice(0, 300);
  }
};

const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: true });
const keyring = new Keyring({ type: 'sr25519' });
const alice = keyring.addFromSeed(Buffer.from(seed.slice(2), 'hex'));
const bob = keyring.addFromUri('//Bob-of-polkadot-js');
const { rpc } = api;

await step('rpc.methods', async () => (await rpc.rpc.methods()).methods.length);
for (const name of ['chain', 'chainType', 'health', 'localListenAddresses', 'localPeerId', 'name', 'nodeRoles', 'peers',
  'properties', 'reservedPeers', 'syncState', 'version', 'networkState']) await step(`system.${name}`, () => rpc.system[name]());
const head = await step('chain.getHeader', () => rpc.chain.getHeader());
await step('chain.getFinalizedHead', () => rpc.chain.getFinalizedHead());
const hash = await step('chain.getBlockHash', () => rpc.chain.getBlockHash());
await step('chain.getBlock', () => rpc.chain.getBlock(hash));
const key = api.query.system.account.key(alice.address);
await step('state.getStorage', () => rpc.state.getStorage(key));
await step('state.getStorageHash', () => rpc.state.getStorageHash(key));
await step('state.getStorageSize', () => rpc.state.getStorageSize(key));
await step('state.getKeysPaged', () => rpc.state.getKeysPaged(api.query.system.account.keyPrefix(), 5, api.query.system.account.keyPrefix()));
await step('state.getKeys', () => rpc.state.getKeys(api.query.system.account.keyPrefix()));
await step('state.getPairs', () => rpc.state.getPairs(api.query.system.number.key()));
await step('state.getReadProof', () => rpc.state.getReadProof([key]));
await step('state.queryStorageAt', () => rpc.state.queryStorageAt([key]));
await step('state.queryStorage', () => rpc.state.queryStorage([key], hash));
await step('state.getMetadata', async () => (await rpc.state.getMetadata()).version);
await step('state.getRuntimeVersion', () => rpc.state.getRuntimeVersion());
await step('state.call', () => rpc.state.call('Core_version', '0x'));
await step('state.trieMigrationStatus', () => rpc.state.trieMigrationStatus());
await step('childstate.getStorage', () => rpc.childstate.getStorage('0x3a6368696c645f73746f726167653a64656661756c743a01', '0x01'));
await step('childstate.getKeys', () => rpc.childstate.getKeys('0x3a6368696c645f73746f726167653a64656661756c743a01', '0x'));
await step('syncstate.genSyncSpec', async () => Object.keys((await provider.send('sync_state_genSyncSpec', [true])).genesis));
await step('grandpa.roundState', () => rpc.grandpa.roundState(), 'not ready');
await step('author.hasKey', () => rpc.author.hasKey('0x01', 'aura'));
await step('author.pendingExtrinsics', () => rpc.author.pendingExtrinsics());
await step('author.rotateKeys', () => provider.send('author_rotateKeys', []), 'unsafe');
await step('query.entries', async () => (await api.query.system.account.entries()).length);
await step('query.multi', () => api.queryMulti([api.query.timestamp.now, [api.query.system.account, alice.address]]));
await step('query.at', async () => (await (await api.at(hash)).query.system.number()).toNumber());
await step('consts', () => api.consts.balances.existentialDeposit);
await step('call.accountNonceApi', () => api.call.accountNonceApi.accountNonce(alice.address));
await step('call.transactionPaymentApi', async () => {
  const tx = api.tx.balances.transferKeepAlive(bob.address, 5_000_000_000n);
  return (await tx.paymentInfo(alice)).partialFee;
});
await step('derive.chain.bestNumber', () => api.derive.chain.bestNumber());
await step('derive.chain.getHeader', () => api.derive.chain.getHeader(hash));
await step('derive.balances.all', async () => (await api.derive.balances.all(alice.address)).freeBalance);
await step('payment.queryInfo', async () => {
  const tx = await api.tx.system.remark('0x00').signAsync(alice);
  // the type that this library gives the method is older than two-dimensional weights; so with every node
  return (await provider.send('payment_queryInfo', [tx.toHex()])).partialFee;
});
await step('payment.queryFeeDetails', async () => {
  const tx = await api.tx.system.remark('0x00').signAsync(alice);
  return rpc.payment.queryFeeDetails(tx.toHex());
});
await step('system.dryRun', async () => {
  const tx = await api.tx.system.remark('0x00').signAsync(alice);
  return rpc.system.dryRun(tx.toHex());
});
await step('system.accountNextIndex', () => rpc.system.accountNextIndex(alice.address));
await step('subscribeNewHeads', () => new Promise(async (resolve) => {
  const stop = await rpc.chain.subscribeNewHeads((header) => { stop && stop(); resolve(header.number); });
}));
await step('subscribeFinalizedHeads', () => new Promise(async (resolve) => {
  let seen = 0;
  const stop = await rpc.chain.subscribeFinalizedHeads((header) => { if (++seen > 1) { stop(); resolve(header.number); } });
}));
await step('subscribeStorage', () => new Promise(async (resolve) => {
  let seen = 0;
  const stop = await api.query.timestamp.now((now) => { if (++seen > 1) { stop(); resolve(now); } });
}));
const send = (tx, signer, options = {}) => new Promise((resolve, reject) => {
  const statuses = [];
  tx.signAndSend(signer, options, ({ status, events, dispatchError }) => {
    statuses.push(status.type);
    if (status.isFinalized) dispatchError ? reject(new Error(dispatchError.toString())) : resolve([...statuses, events.length > 0]);
    if (status.isInvalid || status.isDropped || status.isUsurped) reject(new Error(statuses.join()));
  }).catch(reject);
});
await step('signAndSend', () => send(api.tx.balances.transferKeepAlive(bob.address, 5_000_000_000n), alice));
await step('signAndSend.batch', () => send(api.tx.utility.batchAll([api.tx.system.remark('0x01'), api.tx.system.remark('0x02')]), alice, { era: 64 }));
await step('send.outdated', async () => {
  const tx = await api.tx.system.remark('0x00').signAsync(alice, { nonce: 0 });
  return tx.send();
}, 'outdated');
await step('removeExtrinsic', async () => {
  const nonce = (await rpc.system.accountNextIndex(alice.address)).toNumber();
  const tx = await api.tx.system.remark('0x77').signAsync(alice, { nonce: nonce + 5 });
  await tx.send();
  return provider.send('author_removeExtrinsic', [[{ hash: tx.hash.toHex() }]]);
});
process.stdout.write(JSON.stringify({ api: require('@polkadot/api').packageInfo.version, done, failed }) + '\n');
await api.disconnect();
process.exit(0);
