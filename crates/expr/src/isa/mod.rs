//! Instruction sets: loops compiled once for each, one of them chosen when the process starts.
//!
//! The bits of a result never depend on the choice: kernels use only operations that IEEE 754
//! rounds one way (and [`f64::mul_add`], which is exact before its one rounding everywhere), and
//! none is re-associated. The environment variable `TIDEMILL_ISA` forces a set: `baseline`, `avx2`,
//! `avx512`, `neon`.
//!
//! Most kernels are a [`Loop`] of which the compiler makes vectors; a [`VectorLoop`] says itself
//! what they are.
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use vector::Portable;
pub use vector::{Bits, Vector, WIDTH};

/// A set of instructions that loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every processor of the architecture has.
    Baseline,
    /// ARM's vectors of 128 bits, with fused multiply-add: the baseline of AArch64.
    Neon,
    /// 256 bits, with fused multiply-add.
    Avx2,
    /// 512 bits.
    Avx512,
}

/// The variable that forces a set.
pub const VARIABLE: &str = "TIDEMILL_ISA";

impl Isa {
    /// All sets, the best last.
    pub const ALL: [Isa; 4] = [Isa::Baseline, Isa::Neon, Isa::Avx2, Isa::Avx512];

    /// The name that the variable takes.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Baseline => "baseline",
            Isa::Neon => "neon",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    pub fn is_here(self) -> bool {
        match self {
            Isa::Baseline => true,
            Isa::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }

    /// The sets that this processor has, the best last.
    pub fn here() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_here())
    }

    /// What the variable asks for, else the best that is here.
    ///
    /// # Errors
    /// If the variable names no set, or one that this processor does not have.
    pub fn asked() -> Result<Isa, String> {
        let best = Isa::here().last().unwrap_or(Isa::Baseline);
        let Some(name) = std::env::var_os(VARIABLE) else { return Ok(best) };
        let known = Isa::here().find(|isa| *name == *isa.name());
        known.ok_or_else(|| {
            let here: Vec<&str> = Isa::here().map(Isa::name).collect();
            let name = name.to_string_lossy();
            format!("{VARIABLE} is `{name}`; this processor has {}", here.join(", "))
        })
    }

    /// The set that this process runs with.
    pub fn chosen() -> Isa {
        static CHOSEN: OnceLock<Isa> = OnceLock::new();
        // The launcher has refused what `asked` refuses.
        *CHOSEN.get_or_init(|| {
            Isa::asked().unwrap_or_else(|_| Isa::here().last().unwrap_or(Isa::Baseline))
        })
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A loop that is compiled once for each instruction set.
pub trait Loop {
    /// What it returns.
    type Output;

    /// The loop. Implementations, and all that they call in the loop, are `#[inline(always)]`:
    /// what is not inlined is compiled for the baseline.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the chosen instruction set.
#[inline]
pub fn run<L: Loop>(body: L) -> L::Output {
    // SAFETY: what `chosen` gives, this processor has.
    unsafe { run_on(Isa::chosen(), body) }
}

/// Runs a loop with this instruction set, or the baseline if it is not here.
pub fn run_with<L: Loop>(isa: Isa, body: L) -> L::Output {
    let isa = if isa.is_here() { isa } else { Isa::Baseline };
    // SAFETY: it is here.
    unsafe { run_on(isa, body) }
}

/// # Safety
/// This processor must have the instruction set.
#[inline]
unsafe fn run_on<L: Loop>(isa: Isa, body: L) -> L::Output {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says so.
        Isa::Avx512 => unsafe { avx512(body) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says so.
        Isa::Avx2 => unsafe { avx2(body) },
        _ => body.run(),
    }
}

/// A loop over vectors, compiled once for each instruction set.
pub trait VectorLoop {
    /// What it returns.
    type Output;

    /// The loop, as [`Loop::run`] is.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Runs a loop over vectors of the chosen instruction set.
#[inline]
pub fn run_vectors<L: VectorLoop>(body: L) -> L::Output {
    run_vectors_with(Isa::chosen(), body)
}

/// Runs a loop over vectors of this instruction set, or the baseline if it is not here.
pub fn run_vectors_with<L: VectorLoop>(isa: Isa, body: L) -> L::Output {
    match if isa.is_here() { isa } else { Isa::Baseline } {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: it is here.
        Isa::Avx512 => unsafe { avx512(Over::<_, x86::Wide>(body, PhantomData)) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: it is here.
        Isa::Avx2 => unsafe { avx2(Over::<_, x86::Pair>(body, PhantomData)) },
        Isa::Neon => Over::<_, Portable<true>>(body, PhantomData).run(),
        _ => Over::<_, Portable<false>>(body, PhantomData).run(),
    }
}

/// A loop over vectors of one type.
struct Over<L, V>(L, PhantomData<V>);

impl<L: VectorLoop, V: Vector> Loop for Over<L, V> {
    type Output = L::Output;

    #[inline(always)]
    fn run(self) -> L::Output {
        self.0.run::<V>()
    }
}

/// Asks for the memory of a value that is needed soon.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, for an address that may be read.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn avx512<L: Loop>(body: L) -> L::Output {
    body.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn avx2<L: Loop>(body: L) -> L::Output {
    body.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fused<'a>(&'a [f64], &'a mut [f64]);

    impl Loop for Fused<'_> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.1.iter_mut().zip(self.0).for_each(|(o, x)| *o = x.mul_add(1.1, 1.0 / *x));
        }
    }

    #[test]
    fn all_sets_give_the_same_bits() {
        let x: Vec<f64> = (1..1000).map(|i| f64::from(i) * 0.37).collect();
        let results = Isa::here().map(|isa| {
            let mut out = vec![0.0; x.len()];
            run_with(isa, Fused(&x, &mut out));
            out
        });
        let results: Vec<Vec<f64>> = results.collect();
        assert!(results.iter().all(|r| *r == results[0]));
    }
}
