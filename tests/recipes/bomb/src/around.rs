//! Makes and deletes links in every order, to have more of them at a time than the limit.

use netwright_sdk::wit::netwright::host::batch::{Batch, BatchError};
use netwright_sdk::wit::netwright::host::links::{
    self, Kind, Link, LinkName, Macvlan, Setting, Spec, Veth,
};
use netwright_sdk::wit::netwright::host::namespaces::{self, Namespace};
use netwright_sdk::wit::netwright::host::report;
use netwright_sdk::wit::netwright::host::types::Error;

/// What the scenario allows.
const LIMIT: usize = 4;
const NAMESPACE: &str = "first";

/// Changes that come back to where they began.
type Way = fn(&Lab) -> Result<(), Error>;

/// Each begins with no link, has as many as may be in between, and may end with any.
const WAYS: [(&str, Way); 6] = [
    ("either end of veths", either_end),
    ("namespaces with what is in them", inside),
    ("what stands on a link", children),
    ("batches that fail", failing_batches),
    ("what ensuring puts back", failing_ensures),
    ("links that were moved and renamed", moved),
];

pub(super) fn links() -> Result<(), Error> {
    let lab = Lab { root: Namespace::root()? };
    for (name, way) in WAYS {
        for _ in 0..3 {
            lab.clear()?;
            way(&lab)?;
            lab.fill()?;
            report::print(&format!("{name}: {LIMIT} links"));
        }
    }
    lab.clear()
}

struct Lab {
    root: Namespace,
}

impl Lab {
    fn clear(&self) -> Result<(), Error> {
        for namespace in [None, Some(NAMESPACE)] {
            while let Some(name) = names(namespace)?.first() {
                open(namespace)?.link(name)?.delete()?;
            }
        }
        Ok(())
    }

    fn count(&self) -> Result<usize, Error> {
        let inner = if is_there()? { names(Some(NAMESPACE))?.len() } else { 0 };
        Ok(names(None)?.len() + inner)
    }

    /// Just as many as may be can be there, one more not.
    fn fill(&self) -> Result<(), Error> {
        for number in self.count()?..LIMIT {
            Link::create(&self.root, &bridge(&format!("fill{number}")))?;
        }
        match Link::create(&self.root, &bridge("more")).map(drop) {
            Err(Error::Limit(which)) if which == "4 links" => {}
            other => panic!("one link more: {other:?}"),
        }
        assert_eq!(self.count()?, LIMIT);
        Ok(())
    }
}

trait Links {
    fn link(&self, name: &str) -> Result<Link, Error>;
}

impl Links for Namespace {
    fn link(&self, name: &str) -> Result<Link, Error> {
        Link::open(self, name)
    }
}

fn open(namespace: Option<&str>) -> Result<Namespace, Error> {
    namespace.map_or_else(Namespace::root, Namespace::open)
}

fn is_there() -> Result<bool, Error> {
    Ok(namespaces::list_names()?.iter().any(|name| name == NAMESPACE))
}

/// The links that somebody made, some of them the kernel itself.
fn names(namespace: Option<&str>) -> Result<Vec<String>, Error> {
    let all = links::list_all(&open(namespace)?)?;
    let made =
        |name: &String| ["v", "w", "b", "fill", "m"].iter().any(|begin| name.starts_with(begin));
    Ok(all.into_iter().map(|link| link.name).filter(made).collect())
}

fn spec(name: &str, kind: Kind) -> Spec {
    Spec { name: name.to_owned(), kind, parent: None, settings: Vec::new() }
}

fn bridge(name: &str) -> Spec {
    spec(name, Kind::Bridge(Vec::new()))
}

fn veth(name: &str, namespace: Option<&str>, peer: &str) -> Spec {
    let namespace = namespace.map(str::to_owned);
    let peer = LinkName { namespace, name: peer.to_owned() };
    spec(name, Kind::Veth(Veth { peer, peer_settings: Vec::new() }))
}

fn collected(specs: impl IntoIterator<Item = Spec>) -> Batch {
    let batch = Batch::new();
    specs.into_iter().for_each(|spec| links::add_link(&batch, None, &spec));
    batch
}

fn create(specs: impl IntoIterator<Item = Spec>) -> Result<(), BatchError> {
    Batch::apply(collected(specs))
}

fn macvlan() -> Macvlan {
    let (nopromisc, nodst, sources) = (false, false, Vec::new());
    Macvlan { mode: None, nopromisc, nodst, sources, broadcast_queue_length: None }
}

fn either_end(lab: &Lab) -> Result<(), Error> {
    Link::create(&lab.root, &veth("v0", None, "v1"))?;
    Link::create(&lab.root, &veth("w0", None, "w1"))?;
    for end in ["v0", "v1", "v0"] {
        lab.root.link(end)?.delete()?;
        Link::create(&lab.root, &veth("v0", None, "v1"))?;
    }
    lab.root.link("w1")?.delete()
}

fn inside(lab: &Lab) -> Result<(), Error> {
    for _ in 0..3 {
        let inner = Namespace::open(NAMESPACE)?;
        Link::create(&inner, &veth("v0", None, "v1"))?;
        Link::create(&lab.root, &veth("w0", Some(NAMESPACE), "w1"))?;
        inner.delete()?;
        assert_eq!(lab.count()?, 0);
        Namespace::create(NAMESPACE)?;
    }
    Ok(())
}

fn children(lab: &Lab) -> Result<(), Error> {
    let child = |name: &str| {
        let parent = Some(LinkName { namespace: None, name: "b0".to_owned() });
        Spec { parent, ..spec(name, Kind::Macvlan(macvlan())) }
    };
    for _ in 0..3 {
        Link::create(&lab.root, &bridge("b0"))?;
        for name in ["m0", "m1", "m2"] {
            Link::create(&lab.root, &child(name))?;
        }
        lab.root.link("b0")?.delete()?;
    }
    Ok(())
}

fn failing_batches(lab: &Lab) -> Result<(), Error> {
    Link::create(&lab.root, &bridge("b0"))?;
    let fails = [veth("v0", None, "v1"), bridge("b0")];
    let much = [veth("v0", None, "v1"), veth("w0", None, "w1")];
    for _ in 0..3 {
        for specs in [&fails, &much] {
            assert!(create(specs.clone()).is_err());
            assert_eq!(lab.count()?, 1);
        }
        create([veth("v0", None, "v1")]).map_err(|failure| failure.error)?;
        lab.root.link("v1")?.delete()?;
    }
    Ok(())
}

fn failing_ensures(lab: &Lab) -> Result<(), Error> {
    let ensured = |specs: Vec<Spec>| Batch::ensure(collected(specs));
    Link::create(&lab.root, &veth("v0", None, "v1"))?;
    Link::create(&lab.root, &veth("w0", None, "w1"))?;
    // Both pairs have to go for what then is too much.
    let much = ["v0", "w0", "b0", "b1", "b2"].map(bridge);
    assert!(ensured(much.into()).is_err());
    assert!(lab.count()? <= LIMIT);
    ensured(vec![bridge("v0"), bridge("w0")]).map_err(|failure| failure.error)?;
    assert_eq!(lab.count()?, 2);
    Ok(())
}

fn moved(lab: &Lab) -> Result<(), Error> {
    let inner = Namespace::open(NAMESPACE)?;
    let link = Link::create(&lab.root, &veth("v0", None, "v1"))?;
    link.change(&[Setting::Name("w7".to_owned())])?;
    link.move_to(&inner)?;
    Link::create(&lab.root, &bridge("b0"))?;
    inner.link("w7")?.delete()
}
