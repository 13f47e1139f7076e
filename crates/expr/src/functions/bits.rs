//! Signs and neighbours of floats, as IEEE 754 has them.
use super::Function;
use crate::kernels::map1;
use base::DType;

/// `copysign(x, y)`
pub static COPYSIGN: Function = Function {
    name: "copysign",
    aliases: &[],
    signature: "copysign(x, y)",
    doc: "x with the sign of y, also of -0.0.",
    examples: &[("copysign(2.5, -1)", "-2.5"), ("copysign(1, -0.0)", "-1.0")],
    arity: 2..=2,
    build: |a| a.float2(f32::copysign, f64::copysign),
};

/// `nextafter(x, y)`
pub static NEXTAFTER: Function = Function {
    name: "nextafter",
    aliases: &[],
    signature: "nextafter(x, y)",
    doc: "The float next to x in the direction of y; y if they are equal.",
    examples: &[("nextafter(1.0, 2)", "1.0000000000000002"), ("nextafter(0.0, -1)", "-5e-324")],
    arity: 2..=2,
    build: |a| {
        a.float2(
            |x: f32, y: f32| match x.partial_cmp(&y) {
                None => x + y,
                Some(std::cmp::Ordering::Equal) => y,
                Some(std::cmp::Ordering::Less) => x.next_up(),
                Some(std::cmp::Ordering::Greater) => x.next_down(),
            },
            |x: f64, y: f64| match x.partial_cmp(&y) {
                None => x + y,
                Some(std::cmp::Ordering::Equal) => y,
                Some(std::cmp::Ordering::Less) => x.next_up(),
                Some(std::cmp::Ordering::Greater) => x.next_down(),
            },
        )
    },
};

/// `signbit(x)`
pub static SIGNBIT: Function = Function {
    name: "signbit",
    aliases: &[],
    signature: "signbit(x)",
    doc: "Whether x has a minus sign, also -0.0.",
    examples: &[("signbit(-0.0)", "True"), ("signbit(2)", "False")],
    arity: 1..=1,
    build: |a| a.test_float(f32::is_sign_negative, f64::is_sign_negative),
};

/// `ones_like(x)`
pub static ONES_LIKE: Function = Function {
    name: "ones_like",
    aliases: &[],
    signature: "ones_like(x)",
    doc: "1, of the type of x; missing where x is.",
    examples: &[("ones_like(2.5)", "1.0"), ("ones_like(7)", "1")],
    arity: 1..=1,
    build: |a| {
        let dtype = a.meet(&[0])?;
        let x = a.cast(0, dtype)?;
        let kernel = match dtype {
            DType::Bool => map1(|_: bool| true),
            DType::Int32 => map1(|_: i32| 1i32),
            DType::Int64 => map1(|_: i64| 1i64),
            DType::Float32 => map1(|_: f32| 1f32),
            _ => map1(|_: f64| 1f64),
        };
        a.apply(&[x], dtype, kernel)
    },
};
