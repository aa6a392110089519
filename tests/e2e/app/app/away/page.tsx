export default function AwayPage() {
  return <main>away</main>;
}
