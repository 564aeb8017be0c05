//! The options of tbf (tc/q_tbf.c).

use netwright_sdk::units::{rate, size, time};
use netwright_sdk::wit::qdisc::{Backlog, Tbf};
use netwright_sdk::wit::types::Write;

use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::lex::Word;
use crate::tc::value;

#[derive(Clone, Copy)]
enum TbfOption {
    Limit,
    Latency,
    Burst,
    Mtu,
    Rate,
    Peak,
    Refused,
}

/// In iproute2's order.
const OPTIONS: &[Keyword<TbfOption>] = &[
    short("limit", TbfOption::Limit),
    short("latency", TbfOption::Latency),
    short("burst", TbfOption::Burst),
    exact("buffer", TbfOption::Burst),
    exact("maxburst", TbfOption::Burst),
    exact("mtu", TbfOption::Mtu),
    exact("minburst", TbfOption::Mtu),
    exact("mpu", TbfOption::Refused),
    exact("rate", TbfOption::Rate),
    short("peakrate", TbfOption::Peak),
    short("overhead", TbfOption::Refused),
    short("linklayer", TbfOption::Refused),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, kind: &Word, how: Write) -> Option<Tbf> {
    let mut tbf = Tbf { rate: None, burst: None, backlog: None, peak: None };
    let (mut peak, mut mtu) = (None, None);
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            cursor.unknown(word, "`tbf`", names(OPTIONS));
            return None;
        };
        let named = Named { word, name };
        match option {
            TbfOption::Limit | TbfOption::Latency if tbf.backlog.is_some() => {
                let message = "`limit` and `latency` say the same, one of them is given".to_owned();
                cursor.refuse(word, message);
                return None;
            }
            TbfOption::Limit => tbf.backlog = Some(Backlog::Limit(value(cursor, named, size)?)),
            TbfOption::Latency => tbf.backlog = Some(Backlog::Latency(value(cursor, named, time)?)),
            TbfOption::Burst => tbf.burst = Some(value(cursor, named, size)?),
            TbfOption::Mtu => mtu = Some(value(cursor, named, size)?),
            TbfOption::Rate => tbf.rate = Some(value(cursor, named, rate)?),
            TbfOption::Peak => peak = Some((word, value(cursor, named, rate)?)),
            TbfOption::Refused => {
                let help = "a lower `rate` does for what each packet has besides";
                cursor.refuse_with(word, format!("`{name}` of tbf is not offered here"), help);
                return None;
            }
        }
    }
    match (peak, mtu) {
        (Some((_, peak)), Some(mtu)) => tbf.peak = Some((peak, mtu)),
        (Some((word, _)), None) => {
            cursor.refuse(word, "`peakrate` needs `mtu`, the largest packet".to_owned());
        }
        (None, _) => {}
    }
    let whole = tbf.rate.is_some() && tbf.burst.is_some() && tbf.backlog.is_some();
    if !whole && how != Write::Change {
        let message = "`tbf` needs `rate`, `burst`, and either `latency` or `limit`".to_owned();
        cursor.refuse(kind, message);
    }
    Some(tbf)
}
