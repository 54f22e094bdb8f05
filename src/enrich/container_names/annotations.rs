//! The names in a container's configuration, as each runtime writes them.

use std::rc::Rc;

use serde_json::Value;

/// Longer ones are none: Kubernetes allows 253 characters for a name, registries a little more for an image.
const LONGEST: usize = 512;

/// The container that holds a pod's namespaces, as cri-o and dockershim name it.
const SANDBOX: &str = "POD";

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: Option<Rc<str>>,
    pub(super) image: Option<Rc<str>>,
    pub(super) namespace: Option<Rc<str>>,
    pub(super) pod: Option<Rc<str>>,
    pub(super) pod_uid: Option<Rc<str>>,
    pub(super) in_pod: Option<Rc<str>>,
}

impl Described {
    pub(super) fn bytes(&self) -> usize {
        let all = [&self.name, &self.image, &self.namespace, &self.pod, &self.pod_uid, &self.in_pod];
        all.into_iter().flatten().map(|text| text.len() + 16).sum()
    }
}

fn text(value: Option<&Value>) -> Option<Rc<str>> {
    let text = value?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.into())
}

/// The first of these keys that has a text.
fn first(map: &Value, keys: &[&str]) -> Option<Rc<str>> {
    keys.iter().find_map(|key| text(map.get(key)))
}

/// What Kubernetes and runtimes write into the annotations of `config.json`: containerd's CRI, cri-o, nerdctl.
pub(super) fn of_oci(config: &Value) -> Described {
    let Some(annotations) = config.get("annotations") else { return Described::default() };
    let first = |keys: &[&str]| first(annotations, keys);
    // cri-o calls the sandbox so
    let in_pod = first(&["io.kubernetes.cri.container-name", "io.kubernetes.container.name"])
        .filter(|name| **name != *SANDBOX);
    Described {
        name: first(&["nerdctl/name"]).or_else(|| in_pod.clone()),
        image: first(&[
            "io.kubernetes.cri.image-name",
            "io.kubernetes.cri-o.ImageName",
            "io.kubernetes.cri-o.SomeNameOfTheImage",
        ]),
        namespace: first(&["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"]),
        pod: first(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]),
        pod_uid: first(&["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"]),
        in_pod,
    }
}

/// Docker's `config.v2.json`. Its labels are Kubernetes' where cri-dockerd made it.
pub(super) fn of_docker(config: &Value) -> Described {
    let inner = config.get("Config");
    let labels = inner.and_then(|inner| inner.get("Labels"));
    let label = |key: &str| text(labels.and_then(|labels| labels.get(key)));
    let name = text(config.get("Name"));
    Described {
        name: name.map(|name| name.strip_prefix('/').map_or(Rc::clone(&name), Rc::from)),
        image: text(inner.and_then(|inner| inner.get("Image"))),
        namespace: label("io.kubernetes.pod.namespace"),
        pod: label("io.kubernetes.pod.name"),
        pod_uid: label("io.kubernetes.pod.uid"),
        in_pod: label("io.kubernetes.container.name").filter(|name| **name != *SANDBOX),
    }
}

/// One container of the list of containers/storage, which Podman and cri-o have: its names are there, and in `metadata`, which is JSON in a text,
/// what it was made of.
pub(super) fn of_storage(list: &Value, id: &str) -> Option<Described> {
    let has_id = |one: &&Value| one.get("id").and_then(Value::as_str) == Some(id);
    let one = list.as_array()?.iter().find(has_id)?;
    let metadata: Value =
        one.get("metadata").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok())?;
    Some(Described {
        name: text(one.get("names").and_then(|names| names.get(0))).or_else(|| text(metadata.get("name"))),
        image: text(metadata.get("image-name")),
        ..Described::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(text: Option<&Rc<str>>) -> Option<&str> {
        text.map(|text| &**text)
    }

    #[test]
    fn each_runtime_has_its_own_names_for_the_same() {
        let containerd = of_oci(&json!({"annotations": {
            "io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.image-name": "reg/app:1", "io.kubernetes.cri.sandbox-name": "web-0",
            "io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.sandbox-uid": "u"}}));
        let crio = of_oci(&json!({"annotations": {
            "io.kubernetes.container.name": "app", "io.kubernetes.cri-o.ImageName": "reg/app:1",
            "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "u"}}));
        let docker = of_docker(&json!({"Name": "/app", "Config": {"Image": "reg/app:1", "Labels": {
            "io.kubernetes.container.name": "app", "io.kubernetes.pod.name": "web-0",
            "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "u"}}}));
        for found in [&containerd, &crio, &docker] {
            assert_eq!((of(found.name.as_ref()), of(found.image.as_ref())), (Some("app"), Some("reg/app:1")));
            assert_eq!((of(found.namespace.as_ref()), of(found.pod.as_ref())), (Some("shop"), Some("web-0")));
            assert_eq!((of(found.pod_uid.as_ref()), of(found.in_pod.as_ref())), (Some("u"), Some("app")));
        }
        let nerdctl = of_oci(&json!({"annotations": {"nerdctl/name": "n"}}));
        assert_eq!(of(nerdctl.name.as_ref()), Some("n"));
        let storage =
            json!([{"id": "other"}, {"id": "x", "names": ["web"], "metadata": "{\"image-name\":\"nginx\"}"}]);
        let podman = of_storage(&storage, "x").unwrap();
        assert_eq!((of(podman.name.as_ref()), of(podman.image.as_ref())), (Some("web"), Some("nginx")));
        assert_eq!(of_storage(&storage, "y"), None);
    }

    #[test]
    fn a_sandbox_has_a_pod_and_no_container_of_that() {
        let sandbox = of_oci(&json!({"annotations": {
            "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-name": "web-0"}}));
        assert_eq!((of(sandbox.pod.as_ref()), &sandbox.in_pod), (Some("web-0"), &None));
        assert_eq!(of_oci(&json!({"annotations": {"io.kubernetes.container.name": "POD"}})).in_pod, None);
    }

    #[test]
    fn what_is_no_name_is_none() {
        for odd in
            [json!(null), json!([]), json!({"annotations": []}), json!({"annotations": {"nerdctl/name": 1}})]
        {
            assert_eq!(of_oci(&odd), Described::default());
            assert_eq!(of_docker(&odd), Described::default());
            assert_eq!(of_storage(&odd, "x"), None);
        }
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(of_docker(&json!({"Name": long})), Described::default());
    }
}
