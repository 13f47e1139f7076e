//! Associated Legendre functions of integer order and degree (DLMF §14.10.3), with the
//! Condon-Shortley phase, as `scipy.special.lpmv`.
use super::{Kernel, slices1};

/// So many values are evaluated together, so that the recurrence runs in vector registers.
const LANES: usize = 16;

/// P_l^m(x), for degrees `l` from 0 and any order `m`.
#[derive(Clone, Copy, Debug)]
pub struct Legendre {
    order: u32,
    degree: u32,
    /// (-1)^m (2m-1)!! for the absolute value of the order, and more if the order is negative.
    factor: f64,
}

impl Legendre {
    /// The function of order `m` and degree `l`.
    pub fn new(m: i32, l: u32) -> Legendre {
        let order = m.unsigned_abs();
        let mut factor = (0..order).fold(1.0, |f, i| -f * f64::from(2 * i + 1));
        if m < 0 && order <= l {
            // P_l^-m = (-1)^m (l-m)!/(l+m)! P_l^m
            factor = (l - order + 1..=l + order).fold(factor, |f, i| f / f64::from(i));
            factor *= if order % 2 == 1 { -1.0 } else { 1.0 };
        }
        Legendre { order, degree: l, factor }
    }

    /// The kernel: float64 → float64.
    pub fn kernel(self) -> Kernel {
        slices1(move |x: &[f64], out: &mut [f64]| match x {
            [one] => {
                let value = self.lanes(&[*one; LANES])[0];
                out.fill(value);
            }
            x => {
                for (x, out) in x.chunks(LANES).zip(out.chunks_mut(LANES)) {
                    let mut lanes = [0.0; LANES];
                    lanes[..x.len()].copy_from_slice(x);
                    out.copy_from_slice(&self.lanes(&lanes)[..x.len()]);
                }
            }
        })
    }

    fn lanes(&self, x: &[f64; LANES]) -> [f64; LANES] {
        let mut before = [0.0; LANES];
        if self.order > self.degree {
            return before;
        }
        let mut now = self.first(x);
        let m = f64::from(self.order);
        for k in self.order..self.degree {
            // (k - m + 1) P_{k+1} = (2k + 1) x P_k - (k + m) P_{k-1}
            let k = f64::from(k);
            for i in 0..LANES {
                let next = ((2.0 * k + 1.0) * x[i] * now[i] - (k + m) * before[i]) / (k - m + 1.0);
                (before[i], now[i]) = (now[i], next);
            }
        }
        now
    }

    /// P_m^m = (-1)^m (2m-1)!! (1 - x²)^(m/2)
    fn first(&self, x: &[f64; LANES]) -> [f64; LANES] {
        x.map(|x| {
            let square = (1.0 - x) * (1.0 + x);
            let even = (0..self.order / 2).fold(self.factor, |p, _| p * square);
            if self.order % 2 == 1 { even * square.sqrt() } else { even }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.special.lpmv(m, l, x) of SciPy at x = -1, -0.3, 0, 0.77, 1.
    const SCIPY: [(i32, u32, [f64; 5]); 9] = [
        (0, 3, [-1.0, 0.3825, 0.0, -0.013667499999999869, 1.0]),
        (0, 20, [1.0, 0.18028715947998042, 0.17619705200195312, 0.1494882638939952, 1.0]),
        (1, 1, [0.0, -0.9539392014169457, -1.0, -0.6380438856379709, 0.0]),
        (1, 3, [0.0, 0.7869998411689801, 1.5, -1.880155820003691, 0.0]),
        (2, 3, [0.0, -4.095000000000001, 0.0, 4.7020050000000015, 0.0]),
        (5, 9, [0.0, 13497.310131043712, -16891.875, -23386.896694364572, 0.0]),
        (-1, 2, [0.0, -0.14309088021254188, 0.0, 0.2456468959706188, 0.0]),
        (-2, 4, [0.0, -0.00701458333333333, -0.020833333333333332, 0.026718481875000016, 0.0]),
        (4, 2, [0.0; 5]),
    ];

    #[test]
    fn agrees_with_scipy() {
        for (m, l, expected) in SCIPY {
            let mut x = [0.0; LANES];
            x[..5].copy_from_slice(&[-1.0, -0.3, 0.0, 0.77, 1.0]);
            let found = Legendre::new(m, l).lanes(&x);
            for (found, expected) in found.into_iter().zip(expected) {
                let near = (found - expected).abs() <= 1e-14 * expected.abs().max(1.0);
                assert!(near, "m {m}, l {l}: {found} {expected}");
            }
        }
    }
}
