//! Payment channels: one deposit, many payments off chain, one or two calls on chain.
//!
//! The payer signs vouchers over the total it owes so far; the payee keeps the newest and claims it when it
//! pleases. Older vouchers are worth less than newer ones, so only the payee has to watch, and only
//! while a close that the payer asked for, or the expiry, runs.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(any(
	feature = "try-runtime",
	feature = "runtime-benchmarks",
	feature = "std"
))]
extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod claims;
mod invariants;
mod life;
pub mod types;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use ainur_primitives::{
		channels::{Claim, SessionKey, Voucher},
		AccountId32, Balance, Millis, H256,
	};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// Layout of the stored items.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_market::Config<RuntimeHoldReason: From<HoldReason>>
		+ pallet_did::Config
	{
		/// Model figures until they are measured.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposits of channels, less what was claimed.
		#[codec(index = 0)]
		ChannelDeposit,
	}

	/// Open channels. A closed one is gone, and its id never comes back.
	#[pallet::storage]
	pub type Channels<T: Config> = StorageMap<_, Blake2_128Concat, H256, Channel>;

	/// How many channels a payer has ever opened: the counter of its next one.
	#[pallet::storage]
	pub type Counters<T: Config> = StorageMap<_, Blake2_128Concat, AccountId32, u64, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A deposit is on hold for the payee.
		Opened {
			channel: H256,
			payer: AccountId32,
			payee: AccountId32,
			counter: u64,
			deposit: Balance,
			expires: Millis,
		},
		/// The payer put more in.
		ToppedUp {
			channel: H256,
			amount: Balance,
			deposit: Balance,
		},
		/// The payee was paid `amount`, `claimed` in all; `left` is still on hold.
		Claimed {
			channel: H256,
			payee: AccountId32,
			amount: Balance,
			claimed: Balance,
			left: Balance,
			seq: u64,
		},
		/// The voucher at place `index` of a batch was not claimed.
		ClaimSkipped {
			channel: H256,
			index: u32,
			why: DispatchError,
		},
		/// The payer wants to close; the payee may claim up to `until`.
		CloseRequested {
			channel: H256,
			until: Millis,
			claimed: Balance,
			left: Balance,
		},
		/// The channel is gone: the payee got `paid` in all, the payer got `returned` back.
		Closed {
			channel: H256,
			payer: AccountId32,
			payee: AccountId32,
			how: Ending,
			paid: Balance,
			returned: Balance,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// There is no open channel with this id; it was closed, or the id is of another world.
		NoChannel,
		/// The caller is not the side this call belongs to; sign with the payer's or the payee's account.
		NotParty,
		/// A channel to oneself pays nobody; name another payee.
		OwnPayee,
		/// The deposit is below `channel_deposit` or above the largest budget; change the amount.
		BadDeposit,
		/// The amount is 0; say how much.
		ZeroAmount,
		/// The challenge window is outside the world's limits; keep it between the two of `Params`.
		BadChallenge,
		/// The expiry leaves no time for one challenge, or lies beyond `channel_life`; choose another.
		BadExpiry,
		/// The payer's free balance does not cover the deposit; fund the account first.
		NotEnoughFree,
		/// The payer asked to close already; wait, then finalize.
		AlreadyClosing,
		/// The time for this call is over; finalize the channel and open another.
		TooLate,
		/// The payee may still claim; wait for the market time in the channel.
		TooEarly,
		/// The signature is not the session key's over this voucher in this world; ask the payer for another.
		BadVoucher,
		/// The voucher is not worth more than what was claimed; present a newer one.
		StaleVoucher,
		/// The voucher or the agreed total exceeds the deposit; let the payer top up first.
		AboveDeposit,
		/// The payee has no account and the amount would not create one; claim more at once or fund it first.
		PayeeMissing,
		/// The payee has no node key bound to its account to agree with; let the payee close instead.
		NoPayeeKey,
		/// A signature under the agreed end is missing or of another key; both sides must sign the same end.
		BadConsent,
		/// The agreed total is below what was claimed; agree on at least that.
		BelowClaimed,
		/// The batch is empty; put a voucher in.
		EmptyBatch,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Hold `deposit` for `payee`, to be claimed with vouchers of `signer` up to market time `expires`.
		/// `challenge` is how many milliseconds the payee has after a `request_close`.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::open())]
		pub fn open(
			origin: OriginFor<T>,
			payee: AccountId32,
			signer: SessionKey,
			deposit: Balance,
			challenge: u32,
			expires: Millis,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_open(who, payee, signer, deposit, challenge, expires)
		}

		/// The payer adds to the deposit.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::top_up())]
		pub fn top_up(origin: OriginFor<T>, channel: H256, amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_top_up(who, channel, amount)
		}

		/// Pay the payee what a voucher adds to what was claimed. Anyone may bring it.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::claim())]
		pub fn claim(
			origin: OriginFor<T>,
			channel: H256,
			cumulative: Balance,
			seq: u64,
			signature: [u8; 64],
		) -> DispatchResult {
			ensure_signed(origin)?;
			let voucher = Voucher {
				cumulative,
				seq,
				signature,
			};
			Self::do_claim(channel, voucher)
		}

		/// Claim the vouchers of many channels at once; each that cannot be claimed is skipped, and told by
		/// an event.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::claim_batch(claims.len() as u32))]
		pub fn claim_batch(
			origin: OriginFor<T>,
			claims: BoundedVec<Claim, ConstU32<MAX_BATCH>>,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim_batch(claims)
		}

		/// Close at once at the total that both sides signed: the payer with the session key, the payee with
		/// the node key bound to its account. Valid up to market time `until`; anyone may bring it.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::close_mutual())]
		pub fn close_mutual(
			origin: OriginFor<T>,
			channel: H256,
			total: Balance,
			until: Millis,
			payer_signature: [u8; 64],
			payee_signature: [u8; 64],
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_close_mutual(channel, total, until, &payer_signature, &payee_signature)
		}

		/// The payer wants its money back: the payee has the challenge window to claim.
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::request_close())]
		pub fn request_close(origin: OriginFor<T>, channel: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_request_close(who, channel)
		}

		/// The time to claim is over: what is left returns to the payer. Anyone may call it, free of charge
		/// when it succeeds.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::finalize())]
		pub fn finalize(origin: OriginFor<T>, channel: H256) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_finalize(channel)?;
			Ok(Pays::No.into())
		}

		/// The payee claims its last voucher, if it has one to claim, and gives the rest back at once.
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::close())]
		pub fn close(
			origin: OriginFor<T>,
			channel: H256,
			voucher: Option<Voucher>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_close(who, channel, voucher)
		}
	}
}
