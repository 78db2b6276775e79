//! Who sent what where: clients, load balancers, and the links that lost something.

use super::MOST_ROWS;
use super::servers::in_groups;
use crate::format::columns::{BAD, BOLD, PLAIN, Table, WIDTH, padded, paint, shortened, width, wrapped};
use crate::format::numbers::{self as figures, count, several, share, short_count};
use crate::metrics::summary::{ClientSummary, LoadBalancerSummary, NodeSummary, Summary};

/// The most targets of a balancer that are shown one by one.
const MOST_TARGETS: usize = 8;
/// Columns of the name of a balancer.
const NAME: usize = 15;

/// Rows of a kind of node: each node where there are few, otherwise groups and those on their own.
fn rows<'a, T>(
    summary: &'a Summary,
    pick: impl Fn(&'a NodeSummary) -> Option<&'a T>,
) -> Vec<(String, &'a T)> {
    let each: Vec<_> =
        summary.nodes.iter().filter_map(|(name, node)| Some((name.clone(), pick(node)?))).collect();
    if each.len() <= MOST_ROWS {
        return each;
    }
    let in_groups = in_groups(summary);
    let mut rows = Vec::new();
    for (name, group) in &summary.groups {
        if let Some(figures) = pick(&group.figures) {
            rows.push((figures::group(name, group.members.len()), figures));
        }
    }
    let alone = summary.nodes.iter().enumerate().filter(|(index, _)| !in_groups[*index]);
    rows.extend(alone.filter_map(|(_, (name, node))| Some((name.clone(), pick(node)?))));
    rows
}

/// What clients did.
pub(super) fn clients(summary: &Summary) -> String {
    let mut table = Table::new("Clients", &["requests", "responses", "rehashed", "share"]);
    let rows = rows(summary, |node| match node {
        NodeSummary::Client(client) => Some(client),
        NodeSummary::LoadBalancer(_) | NodeSummary::Server(_) => None,
    });
    for (name, client) in rows.iter().take(MOST_ROWS) {
        let ClientSummary { requests, responses, rehashed, .. } = **client;
        let numbers = [requests, responses, rehashed].map(short_count);
        table.row(PLAIN, name, numbers.into_iter().chain([share(rehashed, requests)]).collect());
    }
    more(&mut table, rows.len(), "clients");
    table.render()
}

/// Where balancers sent requests.
pub(super) fn load_balancers(summary: &Summary) -> String {
    let rows = rows(summary, |node| match node {
        NodeSummary::LoadBalancer(balancer) => Some(balancer),
        NodeSummary::Client(_) | NodeSummary::Server(_) => None,
    });
    let mut out = String::new();
    for (name, balancer) in rows.iter().take(MOST_ROWS) {
        out += &routed(name, balancer);
    }
    if let Some(more) = rows.len().checked_sub(MOST_ROWS + 1) {
        out += &format!("  ... and {} more load balancers\n", count(more as u64 + 1));
    }
    if out.is_empty() { out } else { paint(BOLD, "Load balancers") + "\n" + &out }
}

fn routed(name: &str, balancer: &LoadBalancerSummary) -> String {
    let total: u64 = balancer.routed.values().sum();
    let text = if total == 0 {
        "nothing came".to_owned()
    } else if balancer.routed.len() <= MOST_TARGETS {
        let target = |(target, number): (&String, &u64)| {
            // Blanks that are not to be broken at.
            format!("{} {}", shortened(target, 24), share(*number, total)).replace(' ', "\u{a0}")
        };
        balancer.routed.iter().map(target).collect::<Vec<_>>().join(", ")
    } else {
        let targets = count(balancer.routed.len() as u64);
        let (least, most) = (balancer.routed.values().min(), balancer.routed.values().max());
        let [least, most] = [least, most].map(|number| count(number.copied().unwrap_or(0)));
        format!("{} over {targets} targets, {least} to {most} each", several(total, "request"))
    };
    let indent = 2 + NAME.max(width(name).min(24)) + 2;
    let lines = wrapped(&text, WIDTH - indent);
    let name = padded(name, indent - 4);
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\u{a0}', " ")).collect();
    format!("  {name}  {}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

/// The links that lost something, the worst first.
pub(super) fn links(summary: &Summary) -> String {
    let mut lossy: Vec<_> = summary.links.iter().filter(|(_, link)| link.lost > 0).collect();
    lossy.sort_by_key(|(_, link)| std::cmp::Reverse(link.lost));
    let mut table = Table::new("Links with losses", &["messages", "lost", "share"]);
    for (name, link) in lossy.iter().take(MOST_ROWS) {
        let lost = [(short_count(link.lost), BAD), (share(link.lost, link.sent), PLAIN)];
        table.painted_row(name, std::iter::once((short_count(link.sent), PLAIN)).chain(lost).collect());
    }
    more(&mut table, lossy.len(), "links");
    table.render()
}

fn more(table: &mut Table, rows: usize, things: &str) {
    if let Some(more) = rows.checked_sub(MOST_ROWS + 1) {
        table.note(&format!("... and {} more {things}", count(more as u64 + 1)));
    }
}
