import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { API_SERVICE, CONTROL, inUrl, type LabFamilies, nodeAddresses, primary } from "./addresses.ts";
import { runChecked } from "./command.ts";
import type { LabState } from "./state.ts";

interface CertificateRequest {
  /** The name of its files. */
  file: string;
  /** The user it speaks for. */
  commonName: string;
  /** The group it speaks for. */
  organization?: string;
  /** The names and addresses it serves under, in OpenSSL's form. */
  serves?: string[];
}

/** The path of a certificate ("ca.crt", "n1.key", …) of the lab. */
export function certificatePath(state: LabState, file: string): string {
  return state.path("certificates", file);
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];

async function issue(state: LabState, request: CertificateRequest): Promise<void> {
  const path = (suffix: string) => certificatePath(state, request.file + suffix);
  const organization = request.organization === undefined ? "" : `/O=${request.organization}`;
  const names = request.serves === undefined ? [] : ["-addext", `subjectAltName=${request.serves.join(",")}`];
  await runChecked([
    ...["openssl", "req", "-x509", ...NEW_KEY, "-days", "365", "-subj", `${organization}/CN=${request.commonName}`],
    ...["-CA", certificatePath(state, "ca.crt"), "-CAkey", certificatePath(state, "ca.key")],
    ...["-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=serverAuth,clientAuth", ...names],
    ...["-keyout", path(".key"), "-out", path(".crt")],
  ]);
}

/** Makes the lab's certificate authority and what it certifies; each kept as NAME.crt and NAME.key. */
export async function createCertificates(state: LabState, nodes: readonly string[]): Promise<void> {
  await runChecked([
    ...["openssl", "req", "-x509", ...NEW_KEY, "-days", "365", "-subj", `/CN=bellhop-lab-${state.name}`],
    ...["-addext", "keyUsage=critical,keyCertSign,digitalSignature"],
    ...["-keyout", certificatePath(state, "ca.key"), "-out", certificatePath(state, "ca.crt")],
  ]);
  // The key that signs the tokens of service accounts; in the one form from which Kubernetes takes the public half too.
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const encoded = privateKey.export({ type: "sec1", format: "pem" });
  writeFileSync(certificatePath(state, "service-accounts.key"), encoded, { mode: 0o600 });

  const apiNames = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const apiAddresses = [CONTROL.ipv4, CONTROL.ipv6, API_SERVICE.ipv4, API_SERVICE.ipv6, "127.0.0.1", "::1"];
  const requests: CertificateRequest[] = [
    {
      file: "kube-apiserver",
      commonName: "kube-apiserver",
      serves: [
        ...[...apiNames, "kubernetes.default.svc.cluster.local"].map((name) => `DNS:${name}`),
        ...apiAddresses.map((address) => `IP:${address}`),
      ],
    },
    { file: "admin", commonName: "admin", organization: "system:masters" },
    { file: "kube-controller-manager", commonName: "system:kube-controller-manager" },
    { file: "kube-scheduler", commonName: "system:kube-scheduler" },
    { file: "kube-proxy", commonName: "system:kube-proxy" },
    ...nodes.map((node) => {
      const { ipv4, ipv6 } = nodeAddresses(node);
      const serves = [`DNS:${node}`, `IP:${ipv4}`, `IP:${ipv6}`];
      return { file: node, commonName: `system:node:${node}`, organization: "system:nodes", serves };
    }),
  ];
  await Promise.all(requests.map((request) => issue(state, request)));
}

/** A kubeconfig that reaches the lab's API server as the one whom the certificate names; it needs no other file. */
export function kubeconfig(state: LabState, certificate: string, families: LabFamilies): string {
  const data = (file: string) => readFileSync(certificatePath(state, file)).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: state.name,
        cluster: {
          server: `https://${inUrl(primary(families, CONTROL))}:6443`,
          "certificate-authority-data": data("ca.crt"),
        },
      },
    ],
    users: [
      {
        name: certificate,
        user: { "client-certificate-data": data(`${certificate}.crt`), "client-key-data": data(`${certificate}.key`) },
      },
    ],
    contexts: [{ name: state.name, context: { cluster: state.name, user: certificate } }],
    "current-context": state.name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
